import { isUtf8 } from 'node:buffer';
import { inspect } from 'node:util';
import { unpackedHeaders, type DeadLetterEntry, type ShownDeadLetter } from '@board/inbox';
import { counted, isoTime, versionSpan } from '../../cli/print.ts';

/** The JSON of `list`; times as ISO 8601. */
export function deadLetterJson(deadLetter: DeadLetterEntry) {
  return {
    ...deadLetter,
    // The former name of `id`, kept for one release.
    letter: deadLetter.id,
    firstFailedAt: isoTime(deadLetter.firstFailedAt),
    lastFailedAt: isoTime(deadLetter.lastFailedAt),
    closedAt: isoTime(deadLetter.closedAt),
    replayedAt: isoTime(deadLetter.replayedAt),
  };
}

/** The JSON of `show` and `export`: key and value as base64, headers as text if they are UTF-8. */
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

type Headers = NonNullable<ShownDeadLetter['record']>['headers'];

function headersJson(headers: Headers): unknown {
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

/** The text of `show`, one field per line. */
export function formatDeadLetter(shown: ShownDeadLetter): string {
  const { deadLetter, payload, followers } = shown;
  const { record } = shownDeadLetterJson(shown);
  const state =
    deadLetter.closedAt === null
      ? 'open'
      : `closed ${isoTime(deadLetter.closedAt)}, ` +
        `${deadLetter.closedBy}` +
        (deadLetter.closedReason === null ? '' : `: ${deadLetter.closedReason}`);
  const { offset } = deadLetter.origin;
  const offsets =
    deadLetter.lastOffset === offset
      ? `offset ${offset}`
      : `offsets ${offset} to ${deadLetter.lastOffset}`;
  const lines: readonly (readonly [string, string])[] = [
    ['dead letter', deadLetter.id],
    ['state', state],
    ['reason', deadLetter.reason],
    ['error', `${deadLetter.errorClass}: ${deadLetter.errorMessage}`],
    ['attempts', String(deadLetter.attempts)],
    [
      'failed',
      `first ${isoTime(deadLetter.firstFailedAt)}, last ${isoTime(deadLetter.lastFailedAt)}`,
    ],
    [
      'replayed',
      deadLetter.replays === 0
        ? 'never'
        : `${counted(deadLetter.replays, 'time')}, last ${isoTime(deadLetter.replayedAt)}`,
    ],
    [
      'place',
      `${deadLetter.aggregateId ?? '(no id)'} version ${deadLetter.version ?? '(none)'}, mark ` +
        `${deadLetter.markVersion}`,
    ],
    [
      'waiting',
      followers.count === 0
        ? 'nothing'
        : `${followers.count} parked, ` +
          versionSpan(followers.firstVersion, followers.lastVersion),
    ],
    ['origin', `${deadLetter.origin.topic}/${deadLetter.origin.partition} ${offsets}`],
    ...(deadLetter.isBare
      ? ([
          [
            'bare',
            'the dead letter does not hold the record: a replay reads it from its origin, if it ' +
              'is still there',
          ],
        ] as const)
      : []),
    [
      'in DLQ',
      `partition ${deadLetter.dlqPartition} offset ${deadLetter.dlqOffset}, ` +
        counted(deadLetter.copies, 'copy', 'copies'),
    ],
    [
      'headers',
      record === null ? 'the DLQ no longer holds the record' : inspectLines(record.headers),
    ],
    [
      'payload',
      payload?.kind === 'decoded' ? inspectLines(payload.event) : (payload?.problem ?? '-'),
    ],
    ...(payload?.kind === 'raw' && record !== null
      ? ([['base64', (record.valueBase64 ?? 'null').slice(0, 500)]] as const)
      : []),
  ];
  return lines
    .map(([name, text]) => `${name.padEnd(12)} ${text.replaceAll('\n', `\n${' '.repeat(13)}`)}`)
    .join('\n');
}

function inspectLines(value: unknown): string {
  return inspect(value, { depth: 10, breakLength: 100, maxStringLength: 2_000, sorted: false });
}
