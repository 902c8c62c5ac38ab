import { inspect } from 'node:util';
import type { ShownLetter } from '@board/inbox';
import { counted, isoTime, versionSpan } from '../../cli/print.ts';
import { shownLetterJson } from './letter-json.ts';

/** A letter as a terminal shows it. */
export function showText(shown: ShownLetter): string {
  const { letter, payload, followers } = shown;
  const { record } = shownLetterJson(shown);
  const state =
    letter.closedAt === null
      ? 'open'
      : `closed ${isoTime(letter.closedAt)}, ${letter.closedBy}${letter.closedReason === null ? '' : `: ${letter.closedReason}`}`;
  const { offset } = letter.origin;
  const offsets =
    letter.lastOffset === offset ? `offset ${offset}` : `offsets ${offset} to ${letter.lastOffset}`;
  const lines: readonly (readonly [string, string])[] = [
    ['letter', letter.letter],
    ['state', state],
    ['reason', letter.reason],
    ['error', `${letter.errorClass}: ${letter.errorMessage}`],
    ['attempts', String(letter.attempts)],
    ['failed', `first ${isoTime(letter.firstFailedAt)}, last ${isoTime(letter.lastFailedAt)}`],
    [
      'replayed',
      letter.replays === 0
        ? 'never'
        : `${counted(letter.replays, 'time')}, last ${isoTime(letter.replayedAt)}`,
    ],
    [
      'place',
      `${letter.aggregateId ?? '(no id)'} version ${letter.version ?? '(none)'}, mark ${letter.markVersion}`,
    ],
    [
      'waiting',
      followers.count === 0
        ? 'nothing'
        : `${followers.count} parked, ${versionSpan(followers.firstVersion, followers.lastVersion)}`,
    ],
    ['origin', `${letter.origin.topic}/${letter.origin.partition} ${offsets}`],
    ...(letter.isBare
      ? ([
          [
            'bare',
            'the dead letter does not hold the record: a replay reads it from its origin, if it is still there',
          ],
        ] as const)
      : []),
    [
      'in DLQ',
      `partition ${letter.dlqPartition} offset ${letter.dlqOffset}, ${counted(letter.copies, 'copy', 'copies')}`,
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
    .map(([name, text]) => `${name.padEnd(9)} ${text.replaceAll('\n', `\n${' '.repeat(10)}`)}`)
    .join('\n');
}

function inspectLines(value: unknown): string {
  return inspect(value, { depth: 10, breakLength: 100, maxStringLength: 2_000, sorted: false });
}
