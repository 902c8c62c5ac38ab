import {
  countTransactions,
  findBeside,
  classifyObservation,
  classifyStatus,
  observeRelay,
  findOpenIncident,
  pushFence,
  createIncident,
  type ConnectApi,
  type Finding,
  type RelayObservation,
  type RelayMemory,
  type RelayMemoryStore,
  type RunSql,
  type Incident,
} from '@board/relay';
import type { Alarms, Logger } from '@board/service';
import {
  beginStanding,
  decideStall,
  type StallSettings,
  type Standing,
} from '../domain/decide-stall.ts';
import type { Job } from './job.ts';
import type { KeeperMetrics } from './keeper-metrics.ts';

export interface Watching {
  readonly connect: Pick<ConnectApi, 'getOffsets' | 'getStatus' | 'restart'>;
  readonly connector: string;
  readonly memory: RelayMemoryStore;
  /** Lends a connection to the server whose binlog the connector reads. */
  readonly withSql: <Result>(work: (sql: RunSql) => Promise<Result>) => Promise<Result>;
  /** How many records the topic of the events has had; asked during a snapshot only. */
  readonly countShipped: () => Promise<bigint | undefined>;
  readonly everyMs: number;
  readonly alarms: Alarms;
  readonly logger: Logger;
  readonly metrics: Pick<KeeperMetrics, 'looked' | 'incidentOpened' | 'restarted'>;
  /** For what is remembered and shown. */
  readonly now: () => Date;
  /** Time that this process has really had. */
  readonly elapsedMs: () => number;
  readonly stall?: StallSettings;
}

/** An idle server gives the connector no cause to move; so it gets one. */
const pushEveryMs = 15_000;
/** What is seen is written at least so often: it also says that the relay is watched. */
const writeEveryMs = 20_000;

interface WatchJob extends Job {
  /** Resolves when the first look is over and what it found is remembered. */
  readonly firstLook: Promise<void>;
  /**
   * Remembers that the connector may have shipped something wrongly, and must not go on from where
   * it is.
   */
  hold(reason: string): Promise<void>;
  /** Whether it was held, by this keeper or one before it, and its position is still the same. */
  isHeld(): Promise<boolean>;
}

/**
 * Remembers server and position, notices when one of them is no longer what it was, and restarts a
 * connector that stands still.
 */
export function watchRelay(watching: Watching): WatchJob {
  const {
    connect,
    connector,
    memory,
    withSql,
    countShipped,
    everyMs,
    alarms,
    logger,
    metrics,
    now,
    elapsedMs,
    stall,
  } = watching;
  const firstLook = Promise.withResolvers<void>();
  let known: RelayMemory | undefined;
  let pushedAtMs = -Infinity;
  let standing = beginStanding(elapsedMs());

  /**
   * One memory for two jobs: what one of them has just written must not give way to what the other
   * read before.
   */
  async function recall(): Promise<RelayMemory> {
    const read = known ?? (await memory.read());
    if (read === undefined)
      throw new Error('the topic of the memory is missing; has the setup run?');
    return (known ??= read);
  }

  async function look(before: RelayMemory): Promise<RelayObservation> {
    return withSql(async (sql) => {
      if (elapsedMs() >= pushedAtMs + pushEveryMs) {
        await pushFence(sql);
        pushedAtMs = elapsedMs();
      }
      return observeRelay(connect, sql, connector, before.seen);
    });
  }

  async function remember(part: RelayMemory): Promise<void> {
    await memory.remember(part);
    known = { ...known, ...part };
  }

  async function raise(finding: Finding): Promise<void> {
    const incident = createIncident(finding, now());
    logger.error({
      event: 'relay.incident-opened',
      oldEvent: 'relay.suspected',
      connector,
      ...incident,
    });
    metrics.incidentOpened();
    await remember({ incident });
  }

  async function observe(before: RelayMemory, seen: RelayObservation): Promise<void> {
    const finding = classifyObservation(before.seen, seen, findOpenIncident(before));
    // Before what was seen: dying in between, the next look finds the same again.
    if (finding !== undefined) await raise(finding);
    const { serverUuid, executed, relayed, file, snapshot } = seen;
    const at = now();
    // Either way: what a clock that was set back since has written would stay for as long as it is
    // from the future.
    const isOld =
      Math.abs(at.getTime() - Date.parse(before.seen?.at ?? '1970-01-01')) >= writeEveryMs;
    if (
      finding !== undefined ||
      isOld ||
      executed !== before.seen?.executed ||
      relayed !== before.seen.relayed
    ) {
      await remember({
        seen: {
          at: at.toISOString(),
          serverUuid,
          executed,
          relayed,
          ...(file !== undefined && { file }),
          snapshot,
        },
      });
    }
  }

  /** An audit or an operator closes an incident in the memory, where the keeper reads it. */
  async function readOpen(): Promise<Incident | undefined> {
    if (findOpenIncident(await recall()) === undefined) return undefined;
    const closure = (await memory.read())?.closure;
    if (closure !== undefined) known = { ...known, closure };
    const open = findOpenIncident(await recall());
    if (open === undefined)
      logger.info({
        event: 'relay.incident-closed',
        oldEvent: 'relay.settled',
        connector,
        ...closure,
      });
    return open;
  }

  /** During a snapshot the offset stays as it is, while records arrive. */
  async function readStanding({ position, snapshot }: RelayObservation): Promise<Standing> {
    if (!snapshot) return { position, snapshot };
    const shipped = await countShipped().catch(() => undefined);
    return { position: `${position} ${shipped}`, snapshot };
  }

  async function heal(seen: Standing): Promise<void> {
    const decision = decideStall(standing, seen, elapsedMs(), stall);
    const mustAct = decision.alarm !== undefined;
    // What does not run is not this job's to restart: it was paused, or it has failed.
    if (mustAct && classifyStatus(await connect.getStatus(connector)).kind !== 'running') {
      standing = {
        ...standing,
        position: seen.position,
        lookedAtMs: elapsedMs(),
        stillMs: 0,
        waitedMs: 0,
      };
      return alarms.clear('relay stalled');
    }
    standing = decision.state;
    if (decision.alarm === undefined) alarms.clear('relay stalled');
    else alarms.raise('relay stalled', decision.alarm);
    if (!decision.restart) return;
    logger.warn({
      event: 'connector.stalled',
      connector,
      restarts: standing.restarts,
      stillMs: standing.stillMs,
    });
    metrics.restarted();
    await connect.restart(connector);
  }

  return {
    name: 'watch',
    everyMs,
    firstLook: firstLook.promise,
    async hold(reason) {
      const open = await readOpen();
      await raise(findBeside(open, { reason, fence: open?.fence ?? 'open', held: true }));
    },
    isHeld: async () => (await readOpen())?.held === true,
    async run() {
      const seen = await look(await recall());
      await observe(await recall(), seen);
      firstLook.resolve();
      await heal(await readStanding(seen));
      const open = await readOpen();
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
