import { isUtf8 } from 'node:buffer';
import { unpackedHeaders, type Letter, type ShownLetter } from '@board/inbox';
import { isoTime } from '../../cli/print.ts';

/** A letter as `list --json` prints it; `show` and `export` add to it. */
export function letterJson(letter: Letter) {
  return {
    ...letter,
    firstFailedAt: isoTime(letter.firstFailedAt),
    lastFailedAt: isoTime(letter.lastFailedAt),
    closedAt: isoTime(letter.closedAt),
    replayedAt: isoTime(letter.replayedAt),
  };
}

/** With its record: key and value as base64, headers as text where they are text. */
export function shownLetterJson({ letter, record, payload, followers }: ShownLetter) {
  return {
    ...letterJson(letter),
    followers,
    payload: payload ?? null,
    record: record
      ? {
          keyBase64: record.key?.toString('base64') ?? null,
          valueBase64: record.value?.toString('base64') ?? null,
          headers: headersJson(record.headers),
        }
      : null,
  };
}

type Record = NonNullable<ShownLetter['record']>;

function headersJson(headers: Record['headers']): unknown {
  if (headers.problem !== undefined)
    return { problem: headers.problem, base64: headers.bytes.toString('base64') };
  const byName = Map.groupBy(unpackedHeaders(headers), ([name]) => name);
  return Object.fromEntries(
    [...byName].map(([name, entries]) => {
      const values = entries.map(([, value]) => headerJson(value));
      return [name, values.length === 1 ? values[0] : values];
    }),
  );
}

function headerJson(value: Buffer | null): unknown {
  if (value === null) return null;
  return isUtf8(value) ? value.toString() : { base64: value.toString('base64') };
}
