import {
  countTransactions,
  describeConnector,
  classifyStatus,
  observeRelay,
  nameCause,
  findOpenIncident,
  type RelayMemory,
  type Incident,
} from '@board/relay';
import { outboxStatus, type OutboxStatus } from '@board/outbox';
import type { OpenedOutbox } from './with-outbox.ts';

export interface RelayStatus extends OutboxStatus {
  readonly connector: {
    readonly name: string;
    readonly isRunning: boolean;
    readonly state: string;
    /** Why it has failed; null unless it has. */
    readonly cause: string | null;
  };
  /**
   * Transactions of the whole server that the connector has not acknowledged; an idle server stays
   * at one or two.
   */
  readonly transactionsBehind: number;
  readonly lastPurge: NonNullable<RelayMemory['purged']> | null;
  /** When the keeper looked last. */
  readonly keeperSeenAt: string | null;
  readonly incident: Incident | null;
}

export async function readStatus(
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
