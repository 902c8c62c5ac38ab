import { setTimeout as wait } from 'node:timers/promises';
import { boardTopic, catalogConsumer, retryTopicName } from '@board/contracts';
import { openAdmin } from '@board/kafka';
import { allowedMs } from './allowance.ts';
import type { ChaosStack } from './chaos-stack.ts';
import type { Drain } from './history.ts';
import { processNames } from './schedule.ts';
import { readAlarms, readConnector, type Watch } from './watch-stack.ts';

export interface DrainOptions {
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

/** How much later than allowed is still looked for. */
const lateMs = 15_000;

/** Waits until nothing is on its way and nothing is wrong; how long that took. */
export async function drainStack(stack: ChaosStack, options: DrainOptions): Promise<Drain> {
  const { lastFaultEndedAt, watch, say, signal } = options;
  const allowed = (): number => allowedMs(watch.stalledAt(), lastFaultEndedAt);
  // Where others write, only what was there at first is waited for.
  const ends = new Map<string, number>();
  let last = '';
  let quietAt: number | null = null;
  // Longer than allowed, so that "too late" and "never" are told apart.
  while (!signal.aborted && Date.now() < lastFaultEndedAt + allowed() + lateMs) {
    const what = await findUnrest(stack, options, ends).catch((error: unknown) => String(error));
    if (what === undefined) {
      quietAt = Date.now();
      break;
    }
    // An alarm tells for how long: that alone is nothing new.
    const kind = what.replaceAll(/\d+/g, '');
    if (kind !== last) say(`not quiet: ${what}`);
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
async function findUnrest(
  stack: ChaosStack,
  { expectsDeadLetters, lastBoardId, titlePrefix }: DrainOptions,
  ends: Map<string, number>,
): Promise<string | undefined> {
  const illness = await findIllness(stack, expectsDeadLetters);
  if (illness !== undefined) return illness;
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

/**
 * The first thing that is wrong with a stack, whatever is on its way in it; undefined when nothing
 * is.
 */
export async function findIllness(
  stack: ChaosStack,
  expectsDeadLetters: boolean,
): Promise<string | undefined> {
  const phases = new Map(stack.processes().map(({ name, phase }) => [name, phase]));
  const ill = processNames.filter((name) => phases.get(name) !== 'running');
  if (ill.length > 0)
    return ill.map((name) => `${name} ${phases.get(name) ?? 'missing'}`).join(', ');
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

/** The keeper tells for a minute that it has had to restart a connector which runs again. */
function isCalmingDown(name: string, reason: string): boolean {
  return name === 'connector' && reason.startsWith('the connector runs, but was restarted');
}

/**
 * `ends` keeps how far each partition was when it was first looked at, and is what must be reached.
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
