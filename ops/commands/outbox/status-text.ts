import { age, counted } from '../../cli/print.ts';
import type { RelayStatus } from './read-status.ts';

/** The status as a terminal shows it. */
export function statusText(status: RelayStatus, now: Date): string {
  const { rows, oldestAt, bytes, keys, oldestKeyAt, connector, lastPurge, keeperSeenAt, incident } =
    status;
  const since = (at: Date | string | null): string =>
    at === null ? 'never' : `${age(now.getTime() - new Date(at).getTime())} ago`;
  const lines: readonly (readonly [string, string])[] = [
    [
      'outbox',
      `${counted(rows, 'row')}${oldestAt === null ? '' : `, the oldest from ${since(oldestAt)}`}`,
    ],
    ['keys', `${keys}${oldestKeyAt === null ? '' : `, the oldest from ${since(oldestKeyAt)}`}`],
    ['on disk', `${(bytes / 1024 ** 2).toFixed(1)} MB`],
    ['connector', `${connector.name}: ${connector.state}`],
    ...(connector.cause === null ? [] : [['cause', connector.cause] as const]),
    [
      'behind',
      `${counted(status.transactionsBehind, 'transaction')} of the whole server not acknowledged yet`,
    ],
    [
      'purged',
      lastPurge === null
        ? 'never'
        : `${since(lastPurge.at)}: ${counted(lastPurge.rows, 'row')} and ${counted(lastPurge.keys, 'key')}`,
    ],
    ['keeper', keeperSeenAt === null ? 'has never looked' : `looked ${since(keeperSeenAt)}`],
    ...(incident === null
      ? []
      : [
          [
            'SUSPICION',
            `since ${incident.at}: ${incident.reason}; see "Position lost" in docs/runbook.md`,
          ] as const,
        ]),
  ];
  return lines.map(([name, text]) => `${name.padEnd(9)} ${text}`).join('\n');
}
