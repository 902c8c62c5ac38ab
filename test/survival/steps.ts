import { postBoard, waitUntil } from '@board/test';
import { setTimeout as wait } from 'node:timers/promises';
import { foreignDeadLetters, writeForeignRecords } from './foreign-records.ts';
import type { SurvivalStack } from './survival-stack.ts';

/** One thing that goes wrong, and how it ends; `inject` rejects unless it took. */
export interface Step {
  readonly name: string;
  readonly inject: (stack: SurvivalStack) => Promise<void>;
  /** For how long it stays wrong. */
  readonly forMs?: number;
  readonly heal?: (stack: SurvivalStack) => Promise<void>;
  /**
   * How long after it a new board may take to the catalog: longer where the connector is started
   * again.
   */
  readonly appliedWithinMs: number;
  /** It kills processes itself; without that, no process may end because of it. */
  readonly kills?: true;
}

const services = ['order-service', 'catalog-service-1', 'catalog-service-2', 'keeper'] as const;
const catalogServices = ['catalog-service-1', 'catalog-service-2'] as const;
const brokers = ['kafka-1', 'kafka-2', 'kafka-3'] as const;
const servers = ['mysql', 'kafka-1', 'connect', 'registry'] as const;

const soonMs = 60_000;
const afterRestartMs = 240_000;

export const steps: readonly Step[] = [
  {
    name: 'records of other programs in the topics',
    async inject(stack) {
      await writeForeignRecords(stack.brokers);
    },
    heal: (stack) =>
      waitUntil(
        `${foreignDeadLetters} foreign dead letters`,
        async () => (await countDeadLetters(stack)) === foreignDeadLetters,
        { timeoutMs: afterRestartMs, everyMs: 1_000 },
      ).then(() => undefined),
    appliedWithinMs: soonMs,
  },
  {
    name: 'MySQL killed right after a consumer',
    async inject(stack) {
      await stack.kill('catalog-service-1');
      await stack.kill('mysql');
    },
    heal: (stack) => stack.untilAllReady(),
    kills: true,
    appliedWithinMs: afterRestartMs,
  },
  {
    name: 'a column of the catalog renamed',
    async inject(stack) {
      await stack.query('ALTER TABLE catalog_service.catalog RENAME COLUMN author TO writer');
      await expectColumn(stack, 'writer');
    },
    forMs: 30_000,
    async heal(stack) {
      await stack.query('ALTER TABLE catalog_service.catalog RENAME COLUMN writer TO author');
      await expectColumn(stack, 'author');
    },
    appliedWithinMs: soonMs,
  },
  {
    name: 'MySQL read-only',
    async inject(stack) {
      await stack.query('SET GLOBAL super_read_only = ON');
      await waitUntil('a refused write', async () => {
        const answer = await postBoard(stack, { title: 'read-only', content: '' }).catch(String);
        return typeof answer === 'string' && answer.includes('503');
      });
    },
    forMs: 60_000,
    async heal(stack) {
      await stack.query('SET GLOBAL super_read_only = OFF');
      await stack.query('SET GLOBAL read_only = OFF');
    },
    appliedWithinMs: soonMs,
  },
  {
    name: 'all brokers silent',
    inject: (stack) => each(brokers, (broker) => stack.freeze(broker)),
    forMs: 70_000,
    heal: (stack) => each(brokers, (broker) => stack.thaw(broker)),
    appliedWithinMs: soonMs,
  },
  ...catalogServices.map((service) => ({
    name: `${service} stopped and continued`,
    inject: (stack: SurvivalStack) => stack.freeze(service),
    forMs: 60_000,
    heal: (stack: SurvivalStack) => stack.thaw(service),
    appliedWithinMs: soonMs,
  })),
  {
    name: 'every service killed ten times, as soon as it is ready',
    inject: (stack) => each(services, (service) => killOverAndOver(stack, service, 10)),
    heal: (stack) => stack.untilAllReady(),
    kills: true,
    appliedWithinMs: soonMs,
  },
  {
    name: 'MySQL, a broker, Connect and the registry killed three times, as soon as they are ready',
    async inject(stack) {
      for (const server of servers) await killOverAndOver(stack, server, 3);
    },
    heal: (stack) => stack.untilAllReady(),
    kills: true,
    appliedWithinMs: afterRestartMs,
  },
];

/**
 * Runs a step, and resolves once a board that was posted after it is in the catalog; one line of
 * what happened when.
 */
export async function runStep(stack: SurvivalStack, step: Step): Promise<string> {
  const { name, inject, forMs = 0, heal, appliedWithinMs, kills = false } = step;
  const before = stack.pids();
  const startedAt = Date.now();
  await inject(stack);
  const tookAt = Date.now();
  await wait(forMs);
  await heal?.(stack);
  const healedAt = Date.now();
  await untilNewBoardApplied(stack, appliedWithinMs);
  if (!kills && stack.pids() !== before)
    throw new Error(`processes ended: ${before} before, ${stack.pids()} after`);
  const seconds = (from: number, to: number): string => `${((to - from) / 1_000).toFixed(1)} s`;
  return (
    `${name}: begun at ${new Date(startedAt).toISOString()}, took after ${seconds(startedAt, tookAt)}, healed after ` +
    `${seconds(tookAt, healedAt)} more, a new board applied after ${seconds(healedAt, Date.now())} more`
  );
}

/** Posts a board, and resolves once it is in the catalog. */
export async function untilNewBoardApplied(stack: SurvivalStack, timeoutMs: number): Promise<void> {
  const endsAt = Date.now() + timeoutMs;
  const board = { title: 'after it', content: '' };
  const { id } = await waitUntil('a board posted', () => postBoard(stack, board), {
    timeoutMs,
    everyMs: 250,
  });
  await waitUntil(
    `board ${id} in the catalog`,
    async () =>
      (await stack.query('SELECT 1 FROM catalog_service.catalog WHERE id = ?', [id])).length === 1,
    { timeoutMs: Math.max(0, endsAt - Date.now()), everyMs: 250 },
  );
}

async function countDeadLetters(stack: SurvivalStack): Promise<number> {
  const [row] = await stack.query<{ rowCount: number }>(
    'SELECT COUNT(*) AS rowCount FROM catalog_service.dead_letter',
  );
  return Number(row?.rowCount);
}

async function each<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  await Promise.all(items.map(work));
}

async function killOverAndOver(stack: SurvivalStack, name: string, times: number): Promise<void> {
  for (let round = 1; round <= times; round += 1) {
    const before = stack.pidOf(name);
    await stack.kill(name);
    await stack.untilReadyAgain(name, before);
  }
}

async function expectColumn(stack: SurvivalStack, name: string): Promise<void> {
  const found = await stack.query(
    `SELECT 1 FROM information_schema.columns WHERE table_schema = 'catalog_service' AND table_name = 'catalog'
       AND column_name = ?`,
    [name],
  );
  if (found.length !== 1) throw new Error(`the catalog has no column "${name}"`);
}
