import { isUtf8 } from 'node:buffer';
import type { Letter, ShownLetter } from '@board/inbox';
import { isoTime } from './print.ts';

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
          headers: Object.fromEntries(
            Object.entries(record.headers).map(([name, value]) => [
              name,
              Array.isArray(value) ? value.map(headerJson) : headerJson(value),
            ]),
          ),
        }
      : null,
  };
}

function headerJson(value: Buffer | string | null | undefined): unknown {
  if (value === null || value === undefined) return null;
  const bytes = Buffer.from(value);
  return isUtf8(bytes) ? bytes.toString() : { base64: bytes.toString('base64') };
}
