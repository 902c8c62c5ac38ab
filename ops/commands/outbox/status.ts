import { outboxStatus, type OutboxStatus } from '@board/outbox';
import {
  classifyStatus,
  countTransactions,
  describeConnector,
  findOpenIncident,
  nameCause,
  observeRelay,
  type Incident,
  type RelayMemory,
} from '@board/relay';
import type { Command } from 'commander';
import { age, counted, printJson } from '../../cli/print.ts';
import { withOutbox, type OpenedOutbox, type OutboxFlags } from './with-outbox.ts';

/** Adds `outbox status`. */
export function addStatus(program: Command, example: (text: string) => string): void {
  program
    .command('status')
    .description('how much the outbox holds, what is not shipped yet, and when it was purged')
    .addHelpText('after', example('status'))
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<OutboxFlags>();
      await withOutbox(flags, async (opened) => {
        const status = await readStatus(opened, flags.connector);
        // `suspicion` is the name of `incident` before, kept for one release.
        if (flags.json === true) printJson({ ...status, suspicion: status.incident });
        else console.log(formatStatus(status, new Date()));
      });
    });
}

/** What `outbox status --json` prints. */
interface RelayStatus extends OutboxStatus {
  readonly connector: {
    readonly name: string;
    readonly isRunning: boolean;
    readonly state: string;
    /** Why it has failed; null when it has not. */
    readonly cause: string | null;
  };
  /** Transactions of the whole server that the connector has not acknowledged; idle: one or two. */
  readonly transactionsBehind: number;
  readonly lastPurge: NonNullable<RelayMemory['purged']> | null;
  /** When a keeper observed the relay last, ISO 8601. */
  readonly keeperSeenAt: string | null;
  readonly incident: Incident | null;
}

async function readStatus(
  { session, connect, memory }: OpenedOutbox,
  connector: string,
): Promise<RelayStatus> {
  const { isRunning, status } = await describeConnector(connect, connector);
  const { behind } = await observeRelay(connect, session.query, connector);
  const remembered = (await memory.read()) ?? {};
  const health = classifyStatus(status ?? undefined);
  const tasks = status?.tasks.map((task) => `, task ${task.id} ${task.state}`).join('') ?? '';
  return {
    ...(await outboxStatus(session)),
    connector: {
      name: connector,
      isRunning,
      state: status ? `${status.connector.state}${tasks}` : 'not registered',
      cause: health.kind === 'failed' ? nameCause(health.trace) : null,
    },
    transactionsBehind: countTransactions(behind),
    lastPurge: remembered.purged ?? null,
    keeperSeenAt: remembered.seen?.at ?? null,
    incident: findOpenIncident(remembered) ?? null,
  };
}

/** The status as text. */
function formatStatus(status: RelayStatus, now: Date): string {
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
      `${counted(status.transactionsBehind, 'transaction')} of the whole server not ` +
        'acknowledged yet',
    ],
    [
      'purged',
      lastPurge === null
        ? 'never'
        : `${since(lastPurge.at)}: ${counted(lastPurge.rows, 'row')} and ` +
          counted(lastPurge.keys, 'key'),
    ],
    [
      'keeper',
      keeperSeenAt === null
        ? 'has never observed the connector'
        : `observed the connector ${since(keeperSeenAt)}`,
    ],
    ...(incident === null
      ? []
      : [
          [
            'INCIDENT',
            `since ${incident.at}: ${incident.reason}; see "Position lost" in docs/runbook.md`,
          ] as const,
        ]),
  ];
  return lines.map(([name, text]) => `${name.padEnd(9)} ${text}`).join('\n');
}
