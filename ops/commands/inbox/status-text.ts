import type { InboxStatus } from '@board/inbox';
import { age, counted, versionSpan } from '../../cli/print.ts';

/**
 * The status as a terminal shows it; `consumerFlag` is what other commands need to be about the
 * same consumer.
 */
export function statusText(status: InboxStatus, consumerFlag: string): string {
  const { parked, openDeadLetters, skipped, missing } = status;
  const deadLetters = Object.entries(openDeadLetters).map(
    ([reason, count]) => `${count} ${reason}`,
  );
  const lines: readonly (readonly [string, string])[] = [
    ['consumer', status.consumer],
    ['members', status.groups.map(({ group, members }) => `${group} ${members}`).join(', ')],
    ['marks', `${status.marks}`],
    [
      'lag',
      status.lag.map(({ partition, records }) => `partition ${partition}: ${records}`).join(', '),
    ],
    ['retries', status.retries.map(({ tier, records }) => `tier ${tier}: ${records}`).join(', ')],
    [
      'dead letters',
      deadLetters.length === 0
        ? 'none open'
        : `${deadLetters.join(', ')} open; "npm run dlq -- list${consumerFlag}" shows them`,
    ],
    ['skipped', `${skipped.policy} by policy, ${skipped.hand} by hand`],
    [
      'missing',
      missing.count === 0
        ? 'nothing'
        : `${counted(missing.count, 'range')} of records, until an audit is clean`,
    ],
    ...missing.reasons.map((reason) => ['', reason] as const),
    [
      'parked',
      parked.rows === 0
        ? 'nothing'
        : `${counted(parked.rows, 'record')}, ${counted(parked.bytes, 'byte')}, the oldest for ${age(parked.oldestAgeMs)}`,
    ],
    ...status.parkedAggregates.map(
      (one) =>
        [
          '',
          `${one.aggregateId}: mark ${one.markVersion}, waits for version ${one.markVersion + 1}; ` +
            `${one.parked} parked, ${versionSpan(one.firstVersion, one.lastVersion)}, for ${age(one.oldestAgeMs)}`,
        ] as const,
    ),
  ];
  return lines.map(([name, text]) => `${name.padEnd(9)} ${text}`).join('\n');
}
