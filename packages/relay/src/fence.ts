import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectApi, ConnectorOffsets } from './connect-api.ts';

/** Runs one SQL statement on the server whose binlog the connector reads. */
export type RunSql = (sql: string, values?: readonly unknown[]) => Promise<readonly unknown[]>;

/** Transactions, in MySQL's own notation for sets of GTIDs. */
export type GtidSet = string;

/** `cannot-tell`: the position proves nothing at the moment; `reason` says why. */
export type FenceResult =
  { readonly kind: 'passed' } | { readonly kind: 'cannot-tell'; readonly reason: string };

export interface FenceWait {
  readonly connect: Pick<ConnectApi, 'getOffsets'>;
  readonly mysql: RunSql;
  readonly connector: string;
  /** The fence passes once every transaction of this set is shipped. */
  readonly gtid: GtidSet;
  readonly timeoutMs: number;
  /**
   * Commits a tiny transaction: on an idle server the connector's offset stays one transaction
   * behind.
   */
  readonly push?: (mysql: RunSql) => Promise<void>;
  /** Why the connector's position proves nothing, from what the keeper remembers. */
  readonly blockedBy?: () => Promise<string | undefined>;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

export interface OutboxWait extends Omit<FenceWait, 'gtid'> {
  readonly connect: Pick<ConnectApi, 'getOffsets' | 'getConfig'>;
}

/** What Connect and then MySQL answered. */
export interface FenceView {
  readonly registered: boolean;
  /** How many positions Connect keeps for the connector. */
  readonly offsets: number;
  readonly snapshot: boolean;
  /** The set to be proven, and the one that the connector's offset names. */
  readonly gtid: GtidSet;
  readonly relayed: GtidSet;
  /** `gtid` lies in `relayed`. */
  readonly reached: boolean;
  /** `relayed` lies in what the server has executed. */
  readonly known: boolean;
}

const pollMs = 200;
/** Longer than the connector's heartbeat interval: more pushes would not move its offset sooner. */
const pushEveryMs = 1_200;

/**
 * Commits an empty transaction with a GTID of its own; it touches no table and needs only the
 * privilege FLUSH_OPTIMIZER_COSTS.
 */
export async function pushFence(mysql: RunSql): Promise<void> {
  await mysql('FLUSH OPTIMIZER_COSTS');
}

/** Every transaction whose rows this caller may have seen, and one of its own. */
export async function noteGtid(mysql: RunSql, push = pushFence): Promise<GtidSet> {
  // Rows become visible a moment before their GTID is in gtid_executed; a transaction that commits
  // after them waits for both.
  await push(mysql);
  const [row] = (await mysql('SELECT @@GLOBAL.gtid_executed AS gtids')) as readonly {
    gtids: string;
  }[];
  return row?.gtids ?? '';
}

/** Waits until Kafka has acknowledged all that was committed before the call. */
export async function waitUntilShipped(wait: Omit<FenceWait, 'gtid'>): Promise<FenceResult> {
  return waitForFence({ ...wait, gtid: await noteGtid(wait.mysql, wait.push) });
}

/**
 * Waits until Kafka has acknowledged all that was committed before the call to the outbox of the
 * database that `mysql` uses.
 */
export async function waitUntilOutboxShipped(wait: OutboxWait): Promise<FenceResult> {
  const otherTable = await findOtherTable(wait);
  return otherTable === undefined ? waitUntilShipped(wait) : cannotTell(otherTable);
}

/**
 * Waits until Kafka has acknowledged all that the transactions of `gtid` put into the outbox, as
 * far as that can be proven. Rejects when MySQL cannot be asked.
 */
export async function waitForFence(wait: FenceWait): Promise<FenceResult> {
  const { mysql, push = pushFence, timeoutMs, blockedBy, signal } = wait;
  const deadline = performance.now() + timeoutMs;
  let pushedAt = -Infinity;
  // Before the wait, so that it is not in vain, and after it, for what was found meanwhile.
  const before = await blockedBy?.();
  if (before !== undefined) return cannotTell(before);
  for (;;) {
    const result = await ask(wait);
    if (result.kind === 'passed') {
      const after = await blockedBy?.();
      return after === undefined ? result : cannotTell(after);
    }
    if (signal?.aborted === true) return cannotTell(`${result.reason} (the wait was ended)`);
    if (performance.now() >= deadline)
      return cannotTell(`${result.reason} (waited ${timeoutMs / 1_000} s)`);
    if (performance.now() >= pushedAt + pushEveryMs) {
      await push(mysql);
      pushedAt = performance.now();
    }
    await delay(pollMs);
  }
}

async function ask(wait: FenceWait): Promise<FenceResult> {
  let offsets: ConnectorOffsets | undefined;
  try {
    offsets = await wait.connect.getOffsets(wait.connector);
  } catch (error) {
    return cannotTell(messageOf(error));
  }
  return classifyFence(await compare(wait, offsets), wait.connector);
}

async function compare(
  { mysql, gtid }: FenceWait,
  offsets: ConnectorOffsets | undefined,
): Promise<FenceView> {
  const [offset, ...others] = (offsets ?? [])
    .map((entry) => entry.offset)
    .filter((one) => one !== null);
  const relayed = offset?.gtids ?? '';
  // The server must be asked after Connect: only then must it know every transaction that the
  // offset names.
  const [sets] = (await mysql(
    'SELECT GTID_SUBSET(?, ?) AS reached, GTID_SUBSET(?, @@GLOBAL.gtid_executed) AS known',
    [gtid, relayed, relayed],
  )) as readonly { reached: number; known: number }[];
  return {
    registered: offsets !== undefined,
    offsets: offset === undefined ? 0 : 1 + others.length,
    snapshot: offset?.snapshot !== undefined,
    gtid,
    relayed,
    reached: sets?.reached === 1,
    known: sets?.known === 1,
  };
}

/** Passes only when the view has no sign against it; otherwise says what the offset lacks. */
export function classifyFence(view: FenceView, connector: string): FenceResult {
  const { registered, offsets, snapshot, gtid, relayed, reached, known } = view;
  if (gtid === '') return cannotTell('the server numbers no transactions: gtid_mode must be ON');
  if (!registered) return cannotTell(`the connector ${connector} is not registered`);
  if (offsets === 0) return cannotTell(`the connector ${connector} has no position yet`);
  // Two positions mean that the connector was pointed elsewhere; which of them counts cannot be
  // known here.
  if (offsets > 1)
    return cannotTell(`the connector ${connector} has ${offsets} positions, it must have one`);
  if (snapshot) return cannotTell(`the connector ${connector} is taking a snapshot`);
  if (relayed === '') return cannotTell(`the position of the connector ${connector} has no GTIDs`);
  // After RESET BINARY LOGS AND GTIDS a small new set lies inside the large old one, and proves
  // nothing.
  if (!known)
    return cannotTell(
      `the connector ${connector} names transactions that the server does not have: were its GTIDs reset, or a backup restored?`,
    );
  if (!reached) return cannotTell(`the connector ${connector} has not come far enough`);
  return { kind: 'passed' };
}

/**
 * Why the connector is not the relay of the outbox that `mysql` uses; undefined when it is. Nothing
 * else shows it: a position names the transactions of the whole server, also those of tables that
 * the connector passes over.
 */
export async function findOtherTable({
  connect,
  mysql,
  connector,
}: Pick<OutboxWait, 'mysql' | 'connector'> & { connect: Pick<ConnectApi, 'getConfig'> }): Promise<
  string | undefined
> {
  const [row] = (await mysql("SELECT CONCAT(DATABASE(), '.outbox') AS outbox")) as readonly {
    outbox: string;
  }[];
  try {
    const tables = (await connect.getConfig(connector))?.['table.include.list'];
    if (tables === undefined)
      return `the connector ${connector} is not registered, or for no table in particular`;
    const isRelayed = tables.split(',').some((table) => table.trim() === row?.outbox);
    return isRelayed
      ? undefined
      : `the connector ${connector} relays ${tables}, not ${row?.outbox}`;
  } catch (error) {
    return messageOf(error);
  }
}

function cannotTell(reason: string): FenceResult {
  return { kind: 'cannot-tell', reason };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
