import { isUtf8 } from 'node:buffer';
import { unpackedHeaders, type DeadLetterEntry, type ShownDeadLetter } from '@board/inbox';
import { isoTime } from '../../cli/print.ts';

/** A dead letter as `list --json` prints it; `show` and `export` add to it. */
export function deadLetterJson(deadLetter: DeadLetterEntry) {
  return {
    ...deadLetter,
    // The name of `id` before it was called so, kept for one release.
    letter: deadLetter.id,
    firstFailedAt: isoTime(deadLetter.firstFailedAt),
    lastFailedAt: isoTime(deadLetter.lastFailedAt),
    closedAt: isoTime(deadLetter.closedAt),
    replayedAt: isoTime(deadLetter.replayedAt),
  };
}

/** With its record: key and value as base64, headers as text where they are text. */
export function shownDeadLetterJson({ deadLetter, record, payload, followers }: ShownDeadLetter) {
  return {
    ...deadLetterJson(deadLetter),
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

type Record = NonNullable<ShownDeadLetter['record']>;

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
