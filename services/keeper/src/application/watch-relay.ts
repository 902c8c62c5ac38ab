import {
  countTransactions,
  mergeFinding,
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
} from '../domain/decide-restart.ts';
import type { KeeperMetrics } from './keeper-metrics.ts';
import type { Job } from './run-jobs.ts';

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
  readonly metrics: Pick<KeeperMetrics, 'observed' | 'incidentOpened' | 'restarted'>;
  /** For what is remembered and shown. */
  readonly now: () => Date;
  /** Time that this process has really had. */
  readonly elapsedMs: () => number;
  readonly stall?: StallSettings;
}

/** On an idle server the connector's position does not move without a push. */
const pushEveryMs = 15_000;
/** An observation is written at least so often: it also says that the relay is watched. */
const writeEveryMs = 20_000;

interface WatchJob extends Job {
  /** Resolves when the first observation is over and what it found is remembered. */
  readonly firstObservation: Promise<void>;
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
  const firstObservation = Promise.withResolvers<void>();
  let known: RelayMemory | undefined;
  let pushedAtMs = -Infinity;
  let standing = beginStanding(elapsedMs());

  /**
   * One memory for two jobs: what one of them has just written must not be replaced by what the
   * other read before.
   */
  async function recall(): Promise<RelayMemory> {
    const read = known ?? (await memory.read());
    if (read === undefined)
      throw new Error('the topic of the memory is missing; has the setup run?');
    return (known ??= read);
  }

  async function observe(before: RelayMemory): Promise<RelayObservation> {
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

  async function rememberObservation(
    before: RelayMemory,
    observation: RelayObservation,
  ): Promise<void> {
    const finding = classifyObservation(before.seen, observation, findOpenIncident(before));
    // The incident must be written before what was seen: after a crash between the two the next
    // observation finds the same again.
    if (finding !== undefined) await raise(finding);
    const { serverUuid, executed, relayed, file, snapshot } = observation;
    const at = now();
    // A difference in either direction: a time from the future, written before the clock was set
    // back, would otherwise stay until it has passed.
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

  /** Reads the open incident, which an audit or an operator may have closed in the memory. */
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

  async function restartStalled(current: Standing): Promise<void> {
    const decision = decideStall(standing, current, elapsedMs(), stall);
    const mustAct = decision.alarm !== undefined;
    // A connector that does not run was paused, or has failed: the heal job handles both.
    if (mustAct && classifyStatus(await connect.getStatus(connector)).kind !== 'running') {
      standing = {
        ...standing,
        position: current.position,
        observedAtMs: elapsedMs(),
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
    firstObservation: firstObservation.promise,
    async hold(reason) {
      const open = await readOpen();
      await raise(mergeFinding(open, { reason, fence: open?.fence ?? 'open', held: true }));
    },
    isHeld: async () => (await readOpen())?.held === true,
    async run() {
      const observation = await observe(await recall());
      await rememberObservation(await recall(), observation);
      firstObservation.resolve();
      await restartStalled(await readStanding(observation));
      const open = await readOpen();
      metrics.observed(countTransactions(observation.behind), open !== undefined);
      if (open === undefined) alarms.clear('position');
      else
        alarms.raise(
          'position',
          `${open.reason}. Red until "npm run audit" is clean, or "npm run outbox -- acknowledge"`,
        );
    },
  };
}
