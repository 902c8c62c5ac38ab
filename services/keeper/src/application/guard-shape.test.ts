import { createHealth, createLogger } from '@board/service';
import { expect, it } from 'vitest';
import { guardShape } from './guard-shape.ts';

const table = ['seq', 'id'];
const wrong = ['id', 'seq'];
const executed = 'a:1-9';

interface Setup {
  /** What the schema history says, look by look; the last one goes on. */
  readonly histories: readonly (readonly string[])[];
  /** Where the connector stands: up to `executed`, it has read everything. */
  readonly relayed?: string;
  readonly state?: 'RUNNING' | 'STOPPED';
  readonly isHeld?: boolean;
  readonly canRemember?: boolean;
}

/** A keeper that looks ten seconds after ten seconds, and what it did, in order. */
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
  const job = guardShape({
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
  const look = async (): Promise<void> => {
    await job.run(new AbortController().signal);
    nowMs += 10_000;
  };
  return { look, did, alarm: () => alarms.active().get('outbox columns')?.reason };
}

it('a connector with wrong columns is stopped, and why is remembered before: a keeper killed between the two leaves no riddle', async () => {
  const { look, did, alarm } = guarding({ histories: [wrong] });
  await look();
  expect(did).toEqual([]);
  await look();
  expect(did).toEqual(['hold', 'stop']);
  expect(alarm()).toMatch(/was stopped; do not resume it/);
});

it('it is stopped also where nothing can be remembered', async () => {
  const { look, did, alarm } = guarding({ histories: [wrong], canRemember: false });
  await look();
  await expect(look()).rejects.toThrow('no memory');
  expect(did).toEqual(['stop']);
  expect(alarm()).toMatch(/was stopped/);
});

it('columns that the connector learns of while it is waited for are no incident', async () => {
  const { look, did, alarm } = guarding({ histories: [wrong, wrong, table] });
  await look();
  await look();
  expect([did, alarm()]).toEqual([[], undefined]);
});

it('a keeper that finds a connector stopped and held says so at once, though no fence can pass it', async () => {
  const { look, did, alarm } = guarding({
    histories: [wrong],
    relayed: '',
    state: 'STOPPED',
    isHeld: true,
  });
  await look();
  expect(alarm()).toMatch(/was stopped; do not resume it.*redrive/);
  expect(did).toEqual([]);
});

it('a connector that an operator has stopped before a change of the outbox is not taken for that', async () => {
  const { look, alarm } = guarding({ histories: [wrong], relayed: '', state: 'STOPPED' });
  await look();
  expect(alarm()).toBeUndefined();
});
