import { createHash } from 'node:crypto';
import { setFailpoint } from '@board/service/testing';
import { expect, inject, onTestFinished, test } from 'vitest';
import { holdFailpoint } from './support/hold-failpoint.ts';
import { createThing, editThing, openOutboxLab, type OutboxLab } from './support/outbox-lab.ts';

const open = () => openOutboxLab(inject('stack'));
const sha256 = (text: string) => createHash('sha256').update(text).digest();

/** Another instance's transaction with this key, not committed yet. */
async function insertElsewhere(
  { root }: OutboxLab,
  key: string,
  fingerprint = 'new a',
): Promise<void> {
  await root.query('BEGIN');
  await root.query(
    "INSERT INTO idempotency_key (key_hash, fingerprint, answer, created_at) VALUES (?, ?, 'elsewhere', NOW(3))",
    [sha256(key), sha256(fingerprint)],
  );
}

async function countThings({ rows }: OutboxLab): Promise<number> {
  const [row] = await rows<{ things: number }>('SELECT COUNT(*) AS things FROM thing');
  return row?.things ?? 0;
}

test('a key that was used before gets the first answer, on any instance; with another command it is refused', async () => {
  const lab = await open();
  const [here, there] = [(await lab.open()).commits, (await lab.open()).commits];
  const thing = createThing('a', { key: 'create' });
  await here.commit(thing);
  await here.commit(editThing(thing.aggregateId, 'b', { key: 'edit' }));
  await here.commit(editThing(thing.aggregateId, 'c'));
  for (const commits of [here, there]) {
    const repeated = (text: string) => ({ kind: 'repeated', answer: Buffer.from(text) });
    expect(await commits.commit(createThing('a', { key: 'create' }))).toEqual(repeated('a 1'));
    expect(await commits.commit(editThing(thing.aggregateId, 'b', { key: 'edit' }))).toEqual(
      repeated('b 2'),
    );
    expect(await commits.commit(createThing('other', { key: 'create' }))).toEqual({
      kind: 'key-reused',
    });
  }
  expect(await lab.versions()).toEqual({ [thing.aggregateId]: { row: 3, events: [1, 2, 3] } });
});

test("the age of a key follows the server's clock, by which it is purged, not that of an instance", async () => {
  const lab = await open();
  const { commits } = await lab.open();
  const command = createThing('a', {
    key: 'k',
    spoil: (event) => ({ ...event, occurredAt: new Date(0) }),
  });
  await commits.commit(command);
  expect(
    await lab.rows(
      'SELECT created_at BETWEEN UTC_TIMESTAMP(3) - INTERVAL 1 MINUTE AND UTC_TIMESTAMP(3) AS young FROM idempotency_key',
    ),
  ).toEqual([{ young: 1 }]);
});

test('a key whose first command still waits or runs here is running; with another command it is refused', async () => {
  const lab = await open();
  const { commits } = await lab.open({ limits: { transactions: 1 } });
  const held = holdFailpoint('before-commit');
  const first = [commits.commit(createThing('a', { key: 'runs' }))];
  await held.reached;
  first.push(commits.commit(createThing('a', { key: 'waits' })));
  for (const key of ['runs', 'waits']) {
    expect(await commits.commit(createThing('a', { key }))).toEqual({ kind: 'key-running' });
    expect(await commits.commit(createThing('b', { key }))).toEqual({ kind: 'key-reused' });
  }
  held.release();
  await Promise.all(first);
  expect(await commits.commit(createThing('a', { key: 'waits' }))).toMatchObject({
    kind: 'repeated',
  });
  expect(await countThings(lab)).toBe(2);
});

test('a key that runs on another instance is running, and its neighbours are not held up', async () => {
  const lab = await open();
  const { commits } = await lab.open();
  await insertElsewhere(lab, 'k');
  const [same, other, ...neighbours] = await Promise.all([
    commits.commit(createThing('a', { key: 'k' })),
    commits.commit(createThing('b', { key: 'k2' })),
    commits.commit(createThing('c')),
  ]);
  expect(same).toEqual({ kind: 'key-running' });
  expect([other, ...neighbours].every((outcome) => outcome.kind === 'committed')).toBe(true);
  expect(await commits.commit(createThing('z', { key: 'k' }))).toEqual({ kind: 'key-reused' });
  await lab.root.query('COMMIT');
  expect(await commits.commit(createThing('a', { key: 'k' }))).toEqual({
    kind: 'repeated',
    answer: Buffer.from('elsewhere'),
  });
  expect(await countThings(lab)).toBe(2);
});

test.each([
  ['still runs', 'SELECT 1', 'key-running'],
  ['is committed', 'COMMIT', 'repeated'],
  ['is rolled back', 'ROLLBACK', 'committed'],
])(
  'a key that another instance inserts just after it was looked for and that then %s',
  async (_, end, kind) => {
    const lab = await open();
    // InnoDB ends a wait of one second after up to two, and later on a busy machine.
    const { commits } = await lab.open({
      databaseDeadlineMs: 8_000,
      limits: { deadlineMs: 15_000 },
    });
    let looked = false;
    onTestFinished(
      setFailpoint('before-begin', async () => {
        if (looked) return;
        looked = true;
        await insertElsewhere(lab, 'k');
        await lab.root.query(end);
      }),
    );
    const [same, neighbour] = await Promise.all([
      commits.commit(createThing('a', { key: 'k' })),
      commits.commit(createThing('b', { key: 'k2' })),
    ]);
    expect(same.kind).toBe(kind);
    expect(neighbour.kind).toBe('committed');
    await lab.root.query('COMMIT');
    expect(await countThings(lab)).toBe(kind === 'committed' ? 2 : 1);
  },
);

test('two instances with the same keys in opposite order do each command once, without a deadlock', async () => {
  const lab = await open();
  const [here, there] = [(await lab.open()).commits, (await lab.open()).commits];
  const keys = Array.from({ length: 40 }, (_, n) => `key ${n}`);
  const send = (commits: typeof here, order: readonly string[]) =>
    Promise.all(order.map((key) => commits.commit(createThing('a', { key }))));
  const outcomes = await Promise.all([send(here, keys), send(there, keys.toReversed())]);
  const kinds = outcomes.flat().map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'committed')).toHaveLength(40);
  expect(new Set(kinds)).not.toContain('key-reused');
  expect(await countThings(lab)).toBe(40);
});
