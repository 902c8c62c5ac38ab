import { setTimeout as wait } from 'node:timers/promises';
import { boardTopic, catalogConsumer, retryTopicName } from '@board/contracts';
import { openAdmin } from '@board/kafka-kit';
import type { ChaosStack } from './chaos-stack.ts';
import type { ChaosRun } from './history.ts';
import { readConnector } from './watch-stack.ts';

export interface DrainOptions {
  readonly lastFaultEndedAt: number;
  /** A board that was created after everything else. */
  readonly lastBoardId: string;
  /** Foreign records are dead letters, and so an alarm, until they are dismissed. */
  readonly hasForeign: boolean;
  readonly allowedMs: () => number;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** How much later than allowed is still looked for. */
const lateMs = 15_000;

/** Waits until nothing is on its way and nothing is wrong; how long that took. */
export async function drainStack(stack: ChaosStack, options: DrainOptions): Promise<NonNullable<ChaosRun['drain']>> {
  const { lastFaultEndedAt, allowedMs, say, signal } = options;
  let last = '';
  let quietAt: number | null = null;
  // Longer than allowed, so that "too late" and "never" are told apart.
  while (!signal.aborted && Date.now() < lastFaultEndedAt + allowedMs() + lateMs) {
    const what = await findUnrest(stack, options).catch((error: unknown) => String(error));
    if (what === undefined) {
      quietAt = Date.now();
      break;
    }
    if (what !== last) say(`not quiet: ${(last = what)}`);
    await wait(500);
  }
  return { lastFaultEndedAt, quietAt, allowedMs: allowedMs() };
}

/** The first thing that is on its way or wrong; undefined when nothing is. */
async function findUnrest(stack: ChaosStack, options: DrainOptions): Promise<string | undefined> {
  const ill = stack.processes().filter(({ phase }) => phase !== 'running');
  if (ill.length > 0) return ill.map(({ name, phase }) => `${name} ${phase}`).join(', ');
  const connector = await readConnector(stack);
  if (connector !== 'RUNNING, task RUNNING') return `connector: ${connector}`;
  const found = await stack.query('SELECT 1 FROM catalog_service.catalog WHERE id = ?', [options.lastBoardId]);
  if (found.length === 0) return `the last board, ${options.lastBoardId}, is not in the catalog`;
  const [row] = await stack.query<{ parkedRows: number }>(
    'SELECT COUNT(*) AS parkedRows FROM catalog_service.parked WHERE consumer = ?',
    [catalogConsumer.group],
  );
  if (Number(row?.parkedRows) > 0) return 'events are parked';
  return (await findLag(stack)) ?? findAlarm(stack, options);
}

async function findLag({ brokers }: ChaosStack): Promise<string | undefined> {
  const admin = await openAdmin({ brokers });
  try {
    for (const [groupId, topics] of [
      [catalogConsumer.group, [boardTopic.name]],
      [`${catalogConsumer.group}.retry`, [1, 2, 3].map((tier) => retryTopicName(catalogConsumer.group, tier))],
    ] as const) {
      const committed = await admin.fetchOffsets({ groupId, topics: [...topics] });
      for (const { topic, partitions } of committed)
        for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
          const offset = Number(partitions.find((one) => one.partition === partition)?.offset ?? -1);
          // Of a partition without records nothing is committed.
          if (Number(high) > Math.max(0, offset))
            return `${groupId} is at ${offset} of ${high} in ${topic}/${partition}`;
        }
    }
    return undefined;
  } finally {
    await admin.disconnect();
  }
}

async function findAlarm(stack: ChaosStack, { hasForeign }: DrainOptions): Promise<string | undefined> {
  const { orderServiceUrl, keeperUrl, catalogUrls } = stack;
  for (const url of [orderServiceUrl, keeperUrl, ...catalogUrls]) {
    const response = await fetch(`${url}/alarms`, { signal: AbortSignal.timeout(5_000) });
    const { alarms = {} } = (await response.json()) as { alarms?: Record<string, { reason: string }> };
    const expected = hasForeign && catalogUrls.includes(url) ? ['dead letters'] : [];
    const others = Object.entries(alarms).filter(([name]) => !expected.includes(name));
    if (others.length > 0)
      return `${url}/alarms: ${others.map(([name, { reason }]) => `${name}: ${reason}`).join('; ')}`;
  }
  return undefined;
}
