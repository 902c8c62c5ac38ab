import { createHealth, createLogger } from '@board/service';
import { expect, it } from 'vitest';
import { guardColumns } from './guard-columns.ts';

const table = ['seq', 'id'];
const wrong = ['id', 'seq'];
const executed = 'a:1-9';

interface Setup {
  /** What the schema history says, run by run; the last one is repeated. */
  readonly histories: readonly (readonly string[])[];
  /** Where the connector stands: up to `executed`, it has read everything. */
  readonly relayed?: string;
  readonly state?: 'RUNNING' | 'STOPPED';
  readonly isHeld?: boolean;
  readonly canRemember?: boolean;
}

/** The job, run every ten seconds, and what it did, in order. */
function guarding(setup: Setup) {
  const { relayed = executed, state = 'RUNNING', isHeld = false, canRemember = true } = setup;
  const histories = [...setup.histories];
  const did: string[] = [];
  let nowMs = 0;
  const { alarms } = createHealth();
  const sql = async (text: string) => {
    if (text.includes('information_schema')) return table.map((name) => ({ name }));
    if (text.includes('GTID_SUBSET')) return [{ reached: relayed === executed ? 1 : 0, known: 1 }];
    return [{ gtids: executed }];
  };
  const job = guardColumns({
    connect: {
      getConfig: async (name) => ({
        name,
        'connector.class': 'c',
        'topic.prefix': name,
        'table.include.list': 'shop.outbox',
      }),
      getOffsets: async () => [{ partition: {}, offset: { gtids: relayed } }],
      getStatus: async (name) => ({ name, connector: { state, worker_id: 'w' }, tasks: [] }),
      stop: async () => void did.push('stop'),
    },
    connector: 'board-outbox',
    openHistory: () => ({
      readColumns: async () => (histories.length > 1 ? histories.shift() : histories[0]),
    }),
    withSql: (work) => work(sql),
    async hold() {
      if (!canRemember) throw new Error('no memory');
      did.push('hold');
    },
    isHeld: async () => isHeld,
    everyMs: 10_000,
    patienceMs: 10_000,
    alarms,
    logger: createLogger({ name: 'keeper', level: 'silent' }),
    elapsedMs: () => nowMs,
  });
  const check = async (): Promise<void> => {
    await job.run(new AbortController().signal);
    nowMs += 10_000;
  };
  return { check, did, alarm: () => alarms.active().get('outbox columns')?.reason };
}

it('a connector with wrong columns is stopped after the reason was remembered', async () => {
  const { check, did, alarm } = guarding({ histories: [wrong] });
  await check();
  expect(did).toEqual([]);
  await check();
  expect(did).toEqual(['hold', 'stop']);
  expect(alarm()).toMatch(/was stopped; do not resume it/);
});

it('a connector with wrong columns is stopped also when nothing can be remembered', async () => {
  const { check, did, alarm } = guarding({ histories: [wrong], canRemember: false });
  await check();
  await expect(check()).rejects.toThrow('no memory');
  expect(did).toEqual(['stop']);
  expect(alarm()).toMatch(/was stopped/);
});

it('columns that the connector reads during the wait are no incident', async () => {
  const { check, did, alarm } = guarding({ histories: [wrong, wrong, table] });
  await check();
  await check();
  expect([did, alarm()]).toEqual([[], undefined]);
});

it('a connector that is found stopped and held raises the alarm at once', async () => {
  const { check, did, alarm } = guarding({
    histories: [wrong],
    relayed: '',
    state: 'STOPPED',
    isHeld: true,
  });
  await check();
  expect(alarm()).toMatch(/was stopped; do not resume it.*redrive/);
  expect(did).toEqual([]);
});

it('a connector that an operator stopped before a change of the outbox raises no alarm', async () => {
  const { check, alarm } = guarding({ histories: [wrong], relayed: '', state: 'STOPPED' });
  await check();
  expect(alarm()).toBeUndefined();
});
