import { setTimeout as wait } from 'node:timers/promises';
import { boardTopic, catalogConsumer, retryTopicName } from '@board/contracts';
import { openAdmin } from '@board/kafka';
import type { ChaosStack } from './chaos-stack.ts';
import type { Quiescence } from './history.ts';
import { processNames } from './schedule.ts';
import { readAlarms, readConnector, type Watch } from './watch-stack.ts';

export interface QuiesceOptions {
  readonly lastFaultEndedAt: number;
  /** A board that was created after everything else; null: none could be. */
  readonly lastBoardId: string | null;
  readonly titlePrefix: string;
  /** Foreign records are dead letters, and so an alarm, until they are dismissed. */
  readonly expectsDeadLetters: boolean;
  readonly watch: Pick<Watch, 'stalledAt' | 'longestFailureMs'>;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** From the end of the last fault until everything is applied and no alarm is raised. */
const quietWithinMs = 90_000;
/**
 * The same where the connector said RUNNING and stood still: the keeper observes it for two minutes
 * before it restarts it.
 */
const quietAfterStallWithinMs = 240_000;
/** A stall that ended this long before the last fault no longer delays anything. */
const stallCountsForMs = 60_000;
/** How long after the allowed time the run still waits, to tell "too late" from "never". */
const lateMs = 15_000;

/**
 * How long the stack may take to be quiet; `stalledAt`: when the keeper last called the relay
 * stalled, null: never.
 */
export function allowedMs(stalledAt: number | null, lastFaultEndedAt: number): number {
  return stalledAt !== null && stalledAt > lastFaultEndedAt - stallCountsForMs
    ? quietAfterStallWithinMs
    : quietWithinMs;
}

/** Waits until nothing is on its way and nothing is wrong; returns how long that took. */
export async function quiesceStack(
  stack: ChaosStack,
  options: QuiesceOptions,
): Promise<Quiescence> {
  const { lastFaultEndedAt, watch, say, signal } = options;
  const allowed = (): number => allowedMs(watch.stalledAt(), lastFaultEndedAt);
  // Where others write, only what was there at first is waited for.
  const ends = new Map<string, number>();
  let last = '';
  let quietAt: number | null = null;
  while (!signal.aborted && Date.now() < lastFaultEndedAt + allowed() + lateMs) {
    const cause = await findCauseOfUnrest(stack, options, ends).catch((error: unknown) =>
      String(error),
    );
    if (cause === undefined) {
      quietAt = Date.now();
      break;
    }
    // A cause that differs only in a number, such as the age of an alarm, is not printed again.
    const kind = cause.replaceAll(/\d+/g, '');
    if (kind !== last) say(`not quiet: ${cause}`);
    last = kind;
    await wait(500);
  }
  return {
    lastFaultEndedAt,
    quietAt,
    allowedMs: allowed(),
    failedMs: watch.longestFailureMs(lastFaultEndedAt),
  };
}

/** The first thing that is on its way or wrong; undefined when nothing is. */
async function findCauseOfUnrest(
  stack: ChaosStack,
  { expectsDeadLetters, lastBoardId, titlePrefix }: QuiesceOptions,
  ends: Map<string, number>,
): Promise<string | undefined> {
  const problem = await findHealthProblem(stack, expectsDeadLetters);
  if (problem !== undefined) return problem;
  if (lastBoardId === null) return 'no board could be created';
  const found = await stack.query('SELECT 1 FROM catalog_service.catalog WHERE id = ?', [
    lastBoardId,
  ]);
  if (found.length === 0) return `the last board, ${lastBoardId}, is not in the catalog`;
  const [row] = await stack.query<{ parkedRows: number }>(
    `SELECT COUNT(*) AS parkedRows FROM catalog_service.parked
       JOIN order_service.board ON board.id = parked.aggregateid
     WHERE consumer = ? AND LEFT(title, ?) = ?`,
    [catalogConsumer.group, titlePrefix.length, titlePrefix],
  );
  if (Number(row?.parkedRows) > 0) return 'events are parked';
  if (stack.isOwn) ends.clear();
  return findLag(stack, ends);
}

/** The first process, connector or alarm that is wrong; undefined when the stack is healthy. */
export async function findHealthProblem(
  stack: ChaosStack,
  expectsDeadLetters: boolean,
): Promise<string | undefined> {
  const phases = new Map(stack.processes().map(({ name, phase }) => [name, phase]));
  const down = processNames.filter((name) => phases.get(name) !== 'running');
  if (down.length > 0)
    return down.map((name) => `${name} ${phases.get(name) ?? 'missing'}`).join(', ');
  const connector = await readConnector(stack);
  if (connector !== 'RUNNING, task RUNNING') return `connector: ${connector}`;
  const { orderServiceUrl, keeperUrl, catalogUrls } = stack;
  for (const url of [orderServiceUrl, keeperUrl, ...catalogUrls]) {
    const others = Object.entries(await readAlarms(url)).filter(([name, { reason }]) => {
      if (url === keeperUrl) return !isCalmingDown(name, reason);
      return !(expectsDeadLetters && catalogUrls.includes(url) && name === 'dead letters');
    });
    if (others.length > 0)
      return `${url}/alarms: ${others.map(([name, { reason }]) => `${name}: ${reason}`).join('; ')}`;
  }
  return undefined;
}

/** For a minute after it has restarted a connector the keeper keeps the alarm about it. */
function isCalmingDown(name: string, reason: string): boolean {
  return name === 'connector' && reason.startsWith('the connector runs, but was restarted');
}

/**
 * `ends` keeps where each partition ended when it was first read: the groups must reach that.
 */
async function findLag(
  { brokers }: ChaosStack,
  ends: Map<string, number>,
): Promise<string | undefined> {
  const admin = await openAdmin({ brokers });
  try {
    for (const [groupId, topics] of [
      [catalogConsumer.group, [boardTopic.name]],
      [
        `${catalogConsumer.group}.retry`,
        [1, 2, 3].map((tier) => retryTopicName(catalogConsumer.group, tier)),
      ],
    ] as const) {
      const committed = await admin.fetchOffsets({ groupId, topics: [...topics] });
      for (const { topic, partitions } of committed)
        for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
          const offset = Number(
            partitions.find((one) => one.partition === partition)?.offset ?? -1,
          );
          const place = `${topic}/${partition}`;
          const end = ends.get(place) ?? Number(high);
          ends.set(place, end);
          // Of a partition without records nothing is committed.
          if (end > Math.max(0, offset)) return `${groupId} is at ${offset} of ${end} in ${place}`;
        }
    }
    return undefined;
  } finally {
    await admin.disconnect();
  }
}
