import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectApi } from './connect-api.ts';
import type { ConnectorOffsets } from './connect-answers.ts';
import { classifyFence, type FenceResult, type FenceView } from './classify-fence.ts';

/** Runs one SQL statement on the server whose binlog the connector reads. */
export type RunSql = (sql: string, values?: readonly unknown[]) => Promise<readonly unknown[]>;

/** Transactions, in MySQL's own notation for sets of GTIDs. */
export type GtidSet = string;

export interface FenceWait {
  readonly connect: Pick<ConnectApi, 'getOffsets'>;
  readonly mysql: RunSql;
  readonly connector: string;
  /** Shipped once the fence has passed: every transaction of this set. */
  readonly gtid: GtidSet;
  readonly timeoutMs: number;
  /**
   * Commits a tiny transaction: on an idle server the connector's offset stays one transaction
   * behind.
   */
  readonly push?: (mysql: RunSql) => Promise<void>;
  /**
   * Why the connector's position proves nothing, whatever it says: what the keeper has seen and
   * remembers.
   */
  readonly blockedBy?: () => Promise<string | undefined>;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

const pollMs = 200;
/** Longer than the connector's heartbeat interval: more pushes would not move its offset sooner. */
const pushEveryMs = 1_200;

/**
 * Commits an empty transaction with a GTID of its own; it touches no table and needs
 * FLUSH_OPTIMIZER_COSTS only.
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
 * Waits until Kafka has acknowledged all that the transactions of `gtid` put into the outbox, as
 * far as that can be proven.
 */
export async function waitForFence(wait: FenceWait): Promise<FenceResult> {
  const { mysql, push = pushFence, timeoutMs, blockedBy, signal } = wait;
  const deadline = performance.now() + timeoutMs;
  let pushedAt = -Infinity;
  // Before the wait, so that it is not in vain, and after it, for what was seen meanwhile.
  const before = await blockedBy?.();
  if (before !== undefined) return { cannotTell: before };
  for (;;) {
    const result = await ask(wait);
    if (result === 'passed') {
      const after = await blockedBy?.();
      return after === undefined ? result : { cannotTell: after };
    }
    if (signal?.aborted === true)
      return { cannotTell: `${result.cannotTell} (the wait was ended)` };
    if (performance.now() >= deadline) {
      return { cannotTell: `${result.cannotTell} (waited ${timeoutMs / 1_000} s)` };
    }
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
    return { cannotTell: error instanceof Error ? error.message : String(error) };
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
  // The server is asked AFTER Connect: only then must it know every transaction that the offset
  // names.
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
