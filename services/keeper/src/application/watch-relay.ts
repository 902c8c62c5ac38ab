import {
  countTransactions,
  judgeLook,
  lookAtRelay,
  openSuspicion,
  pushFence,
  suspect,
  type ConnectApi,
  type Look,
  type RelayMemory,
  type RelayMemoryStore,
  type RunSql,
} from '@board/connectors';
import type { Alarms, Logger } from '@board/service-kit';
import type { Job } from './job.ts';
import type { KeeperMetrics } from './keeper-metrics.ts';

export interface Watching {
  readonly connect: Pick<ConnectApi, 'getOffsets'>;
  readonly connector: string;
  readonly memory: RelayMemoryStore;
  /** Lends a connection to the server whose binlog the connector reads. */
  readonly withSql: <Result>(work: (sql: RunSql) => Promise<Result>) => Promise<Result>;
  readonly everyMs: number;
  readonly alarms: Alarms;
  readonly logger: Logger;
  readonly metrics: Pick<KeeperMetrics, 'looked' | 'suspected'>;
  /** For what is remembered and shown. */
  readonly now: () => Date;
  /** Time that this process has really had. */
  readonly elapsedMs: () => number;
}

/** An idle server gives the connector no cause to move; so it gets one. */
const pushEveryMs = 15_000;
/** A position that stands still for longer, although there is cause to move, is a relay that is stuck. */
const stalledAfterMs = 45_000;
/** What is seen is written at least so often: it also says that somebody looks. */
const writeEveryMs = 20_000;

interface WatchJob extends Job {
  /** Resolves when the first look is over and what it found is remembered. */
  readonly firstLook: Promise<void>;
}

/** Remembers server and position, and notices when one of them is no longer what it was. */
export function watchRelay(watching: Watching): WatchJob {
  const { connect, connector, memory, withSql, everyMs, alarms, logger, metrics, now, elapsedMs } = watching;
  const firstLook = Promise.withResolvers<void>();
  let known: RelayMemory | undefined;
  let pushedAtMs = -Infinity;
  let moved: { readonly position: string; readonly atMs: number } | undefined;

  async function look(before: RelayMemory): Promise<Look> {
    return withSql(async (sql) => {
      if (elapsedMs() >= pushedAtMs + pushEveryMs) {
        await pushFence(sql);
        pushedAtMs = elapsedMs();
      }
      return lookAtRelay(connect, sql, connector, before.seen);
    });
  }

  async function remember(part: RelayMemory): Promise<void> {
    await memory.remember(part);
    known = { ...known, ...part };
  }

  async function judge(before: RelayMemory, seen: Look): Promise<void> {
    const finding = judgeLook(before.seen, seen, openSuspicion(before));
    if (finding !== undefined) {
      const suspicion = suspect(finding, now());
      logger.error({ event: 'relay.suspected', connector, ...suspicion });
      metrics.suspected();
      // Before what was seen: dying in between, the next look finds the same again.
      await remember({ suspicion });
    }
    const { serverUuid, executed, relayed, file, snapshot } = seen;
    const at = now();
    // Either way: what a clock that was set back since has written would stay for as long as it is from the future.
    const isOld = Math.abs(at.getTime() - Date.parse(before.seen?.at ?? '1970-01-01')) >= writeEveryMs;
    if (finding !== undefined || isOld || executed !== before.seen?.executed || relayed !== before.seen.relayed) {
      await remember({
        seen: { at: at.toISOString(), serverUuid, executed, relayed, ...(file !== undefined && { file }), snapshot },
      });
    }
  }

  /** An audit or an operator writes where the keeper reads. */
  async function readSettlement(): Promise<void> {
    if (known === undefined || openSuspicion(known) === undefined) return;
    const settlement = (await memory.read())?.settlement;
    if (settlement !== undefined) known = { ...known, settlement };
    if (openSuspicion(known) === undefined) logger.info({ event: 'relay.settled', connector, ...settlement });
  }

  function judgeMovement({ position, snapshot }: Look): void {
    const atMs = elapsedMs();
    if (moved === undefined || moved.position !== position) moved = { position, atMs };
    const stalledMs = atMs - moved.atMs;
    if (position === '' || snapshot || stalledMs < stalledAfterMs) return alarms.clear('relay stalled');
    const seconds = Math.round(stalledMs / 1_000);
    return alarms.raise(
      'relay stalled',
      `the connector's position has not moved for ${seconds} s, whatever its state says`,
    );
  }

  return {
    name: 'watch',
    everyMs,
    firstLook: firstLook.promise,
    async run() {
      known ??= await memory.read();
      if (known === undefined) throw new Error('the topic of the memory is missing; has the setup run?');
      const seen = await look(known);
      await judge(known, seen);
      firstLook.resolve();
      await readSettlement();
      judgeMovement(seen);
      const open = openSuspicion(known);
      metrics.looked(countTransactions(seen.behind), open !== undefined);
      if (open === undefined) alarms.clear('position');
      else
        alarms.raise(
          'position',
          `${open.reason}. Red until "npm run audit" is clean, or "npm run outbox -- acknowledge"`,
        );
    },
  };
}
