import {
  connectorTopics,
  isSkippingDdl,
  noteGtid,
  tableIdOf,
  waitForFence,
  type ConnectApi,
  type GtidSet,
  type RunSql,
  type SchemaHistory,
} from '@board/relay';
import type { Alarms, Logger } from '@board/service';
import {
  areSame,
  decideColumns,
  describeDifference,
  type Difference,
  type Columns,
} from '../domain/decide-columns.ts';
import type { Job } from './run-jobs.ts';

export interface ColumnGuard {
  readonly connect: Pick<ConnectApi, 'getConfig' | 'getOffsets' | 'getStatus' | 'stop'>;
  readonly connector: string;
  readonly openHistory: (topic: string, tableId: string) => SchemaHistory;
  readonly withSql: <Result>(work: (sql: RunSql) => Promise<Result>) => Promise<Result>;
  /**
   * Remembers that rows may have been shipped wrongly and that the connector must not be resumed as
   * it is.
   */
  readonly hold: (reason: string) => Promise<void>;
  readonly isHeld: () => Promise<boolean>;
  readonly everyMs: number;
  readonly patienceMs?: number;
  readonly alarms: Alarms;
  readonly logger: Logger;
  readonly elapsedMs: () => number;
}

const alarm = 'outbox columns';
const skipAlarm = 'skipped statements';
const fenceTimeoutMs = 15_000;

/**
 * Compares the outbox's columns with those in the connector's schema history. The connector reads
 * rows by position: with columns that were renamed or moved unnoticed it would ship values under
 * wrong names, without an error. Raises an alarm as well while the connector goes on passing over
 * statements that its parser refuses.
 */
export function guardColumns(guard: ColumnGuard): Job {
  const {
    connect,
    connector,
    withSql,
    hold,
    isHeld,
    everyMs,
    patienceMs,
    alarms,
    logger,
    elapsedMs,
  } = guard;
  let opened:
    | { readonly topic: string; readonly tableId: string; readonly history: SchemaHistory }
    | undefined;
  let seen: { readonly difference: Difference; readonly gtid: GtidSet } | undefined;
  let wasSkipping = false;

  /**
   * Raises an alarm for a skip that is found twice in a row: it lasts too long, or was killed in
   * its middle.
   */
  async function checkSkip(): Promise<void> {
    const config = await connect.getConfig(connector);
    const isSkipping = config !== undefined && isSkippingDdl(config);
    if (isSkipping && wasSkipping)
      alarms.raise(
        skipAlarm,
        'the connector passes over statements that its parser refuses: "npm run outbox -- skip-ddl" is still waiting, or ' +
          'was killed in its middle; then "npm run connector -- register" restores the configuration',
      );
    else alarms.clear(skipAlarm);
    wasSkipping = isSkipping;
  }

  /** Undefined while the connector is not registered. */
  async function readBoth(sql: RunSql): Promise<Columns | undefined> {
    const config = await connect.getConfig(connector);
    const [database, table] = config?.['table.include.list']?.split('.') ?? [];
    if (config === undefined || database === undefined || table === undefined) return undefined;
    const [topic, tableId] = [connectorTopics(config).schemaHistory, tableIdOf(database, table)];
    if (opened?.topic !== topic || opened.tableId !== tableId)
      opened = { topic, tableId, history: guard.openHistory(topic, tableId) };
    const rows = (await sql(
      `SELECT COLUMN_NAME AS name FROM information_schema.COLUMNS
       WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`,
      [database, table],
    )) as readonly { name: string }[];
    return { table: rows.map(({ name }) => name), history: await opened.history.readColumns() };
  }

  /**
   * Whether the connector has read all that had happened when the difference was seen first, and it
   * is still there.
   */
  async function isSilent(
    sql: RunSql,
    { difference, gtid }: NonNullable<typeof seen>,
  ): Promise<boolean> {
    const wait = { connect, mysql: sql, connector, gtid, timeoutMs: fenceTimeoutMs };
    if ((await waitForFence(wait)).kind !== 'passed') return false;
    const now = await readBoth(sql);
    return (
      now !== undefined &&
      areSame(now.table, difference.columns.table) &&
      areSame(now.history, difference.columns.history)
    );
  }

  async function stopShipping(difference: Difference): Promise<void> {
    const { columns } = difference;
    const reason = describeDifference(columns);
    // Without columns in the history the connector goes on with those that it holds, which it has
    // followed until now.
    if (columns.history === undefined) {
      alarms.raise(
        alarm,
        `${reason}: it cannot start again. "npm run outbox -- redrive" makes a new one`,
      );
      return;
    }
    try {
      // Before the stop: were the keeper killed between the two, nothing would say why the
      // connector is stopped. A new incident for each stop: an audit may be closing the one before.
      await hold(`rows may have been shipped under wrong columns: ${reason}`);
    } finally {
      // Also when nothing can be remembered, and again after it was resumed: each further row would
      // land under wrong columns.
      await connect.stop(connector);
      logger.error({ event: 'connector.stopped', connector, reason });
      raiseStopped(reason);
    }
  }

  function raiseStopped(reason: string): void {
    alarms.raise(
      alarm,
      `${reason}. It was stopped; do not resume it: "npm run outbox -- redrive", then the audit`,
    );
  }

  /** Stopped for this difference, perhaps by an earlier keeper: no fence will pass. */
  async function isStoppedFor({ columns }: Difference): Promise<boolean> {
    if (columns.history === undefined) return false;
    return (await connect.getStatus(connector))?.connector.state === 'STOPPED' && (await isHeld());
  }

  return {
    name: 'columns',
    everyMs,
    run: () =>
      withSql(async (sql) => {
        await checkSkip();
        const columns = await readBoth(sql);
        const decision =
          columns === undefined
            ? ({ kind: 'same' } as const)
            : decideColumns(seen?.difference, columns, elapsedMs(), patienceMs);
        if (decision.kind === 'same') {
          seen = undefined;
          alarms.clear(alarm);
          return;
        }
        const { difference } = decision;
        // The set must be noted after the columns were read: a connector that has passed it has
        // passed the change too.
        if (seen?.difference !== difference) seen = { difference, gtid: await noteGtid(sql) };
        if (await isStoppedFor(difference)) raiseStopped(describeDifference(difference.columns));
        else if (decision.kind === 'ask-fence' && (await isSilent(sql, seen)))
          await stopShipping(difference);
      }),
  };
}
