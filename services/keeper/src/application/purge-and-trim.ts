import { once } from 'node:events';
import {
  findBlockingIncident,
  waitUntilOutboxShipped,
  type ConnectApi,
  type RelayMemoryStore,
} from '@board/relay';
import {
  describeKept,
  purgeKeys,
  purgeOutbox,
  type KeptRows,
  type OutboxPurge,
  type PurgeSession,
} from '@board/outbox';
import type { Alarms, Logger } from '@board/service';
import type { KeeperMetrics } from './keeper-metrics.ts';
import type { Job } from './run-jobs.ts';

export interface Purging {
  readonly connect: Pick<ConnectApi, 'getOffsets' | 'getConfig'>;
  readonly connector: string;
  readonly memory: RelayMemoryStore;
  /**
   * Nothing is deleted before: while no keeper ran, the server's GTIDs may have been reset or a
   * backup restored, which only an observation shows.
   */
  readonly firstObservation: Promise<void>;
  /** Lends one connection, which is never replaced. */
  readonly withSession: (work: (session: PurgeSession) => Promise<void>) => Promise<void>;
  readonly findUnreceived: (session: PurgeSession) => OutboxPurge['findUnreceived'];
  readonly retentionMs: number;
  readonly everyMs: number;
  readonly alarms: Alarms;
  readonly logger: Logger;
  readonly metrics: Pick<KeeperMetrics, 'purged' | 'unshipped'>;
  readonly now: () => Date;
}

export interface Trimming {
  /** Deletes what the groups have processed from their retry topics; returns how many records. */
  readonly trim: () => Promise<number>;
  readonly everyMs: number;
  readonly logger: Logger;
  readonly metrics: Pick<KeeperMetrics, 'trimmed'>;
}

const fenceTimeoutMs = 60_000;
const alarm = 'outbox rows';
/**
 * While rows are reported as not shipped, the purge runs at least so often: the alarm must end once
 * they are.
 */
const recheckMs = 60_000;

/**
 * Deletes idempotency keys that are older than promised, and outbox rows that are old and proven to
 * be in Kafka.
 */
export function purgeTables(purging: Purging): Job {
  const {
    connect,
    connector,
    memory,
    firstObservation,
    withSession,
    retentionMs,
    alarms,
    logger,
    metrics,
    now,
  } = purging;
  let isObserved = false;

  function reportKept(kept: KeptRows): void {
    metrics.unshipped(kept.missing);
    const reason = describeKept(kept);
    if (reason === undefined) alarms.clear(alarm);
    else alarms.raise(alarm, reason);
  }

  return {
    name: 'purge',
    get everyMs() {
      return alarms.active().has(alarm) ? Math.min(recheckMs, purging.everyMs) : purging.everyMs;
    },
    async run(signal) {
      isObserved ||= await Promise.race([firstObservation.then(() => true), ended(signal)]);
      if (!isObserved) return;
      await withSession(async (session) => {
        const keys = await purgeKeys({ session, signal });
        metrics.purged(0, keys);
        const wait = {
          connect,
          mysql: session.query,
          connector,
          timeoutMs: fenceTimeoutMs,
          signal,
        };
        const outcome = await purgeOutbox({
          session,
          findUnreceived: purging.findUnreceived(session),
          awaitShipped: () =>
            waitUntilOutboxShipped({ ...wait, blockedBy: findBlockingIncident(memory, 'purge') }),
          retentionMs,
          signal,
        });
        metrics.purged(outcome.rows, 0);
        logger.info({ event: 'outbox.purged', connector, keys, ...outcome });
        if (outcome.kind === 'refused')
          throw new Error(`cannot tell what was shipped: ${outcome.reason}`);
        if (outcome.kind === 'done') {
          reportKept(outcome.kept);
          await memory.remember({ purged: { at: now().toISOString(), rows: outcome.rows, keys } });
        }
      });
    },
  };
}

async function ended(signal: AbortSignal): Promise<false> {
  if (!signal.aborted) await once(signal, 'abort');
  return false;
}

/** Deletes the processed records of the retry topics, which never expire. */
export function trimTopics({ trim, everyMs, logger, metrics }: Trimming): Job {
  return {
    name: 'trim',
    everyMs,
    async run() {
      const records = await trim();
      metrics.trimmed(records);
      if (records > 0) logger.info({ event: 'retries.trimmed', records });
    },
  };
}
