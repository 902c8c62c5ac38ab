import { UnavailableError } from '@board/service';
import { setFailpoint } from '@board/service/testing';
import { startTcpProxy, waitUntil, type TcpProxy } from '@board/test';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createThing, editThing, openOutboxLab, type OutboxLab } from './support/outbox-lab.ts';

/** An instance whose connections go through a proxy. */
async function openBehindProxy(databaseDeadlineMs = 1_400, deadlineMs = 1_800) {
  const lab = await openOutboxLab(inject('stack'));
  const proxy = await startTcpProxy(lab.connection);
  onTestFinished(proxy.close);
  const opened = await lab.open({
    connection: { port: proxy.port },
    databaseDeadlineMs,
    limits: { deadlineMs },
  });
  return { lab, proxy, ...opened };
}

/** The next COMMIT arrives, its answer does not. */
function loseNextAnswer(proxy: TcpProxy): void {
  const undo = setFailpoint('before-commit', () => {
    undo();
    proxy.set({ kind: 'half-open', drop: 'to-client' });
  });
  onTestFinished(undo);
}

async function waitForEvents({ rows }: OutboxLab, count: number): Promise<void> {
  await waitUntil(
    'the events are stored',
    async () => (await rows('SELECT id FROM outbox')).length === count,
  );
}

/** Open connections end, new ones work. */
function endConnections(proxy: TcpProxy): void {
  proxy.set({ kind: 'cut' });
  proxy.set({ kind: 'none' });
}

test('a batch whose COMMIT is done and its answer cut has one row and one event each, and the right replies', async () => {
  const { lab, proxy, commits } = await openBehindProxy();
  const thing = createThing('a');
  await commits.commit(thing);
  loseNextAnswer(proxy);
  const outcomes = [
    commits.commit(createThing('b', { key: 'k' })),
    commits.commit(editThing(thing.aggregateId, 'c')),
    commits.commit(editThing(thing.aggregateId, 'd')),
    commits.commit(editThing(thing.aggregateId, 'e', { ifVersion: 1 })),
  ];
  await waitForEvents(lab, 4);
  endConnections(proxy);
  expect(await Promise.all(outcomes)).toMatchObject([
    { kind: 'committed', state: { version: 1, text: 'b' } },
    { kind: 'committed', state: { version: 2, text: 'c' } },
    { kind: 'committed', state: { version: 3, text: 'd' } },
    { kind: 'refused', refusal: 'stale' },
  ]);
  expect(await lab.versions()).toMatchObject({
    [thing.aggregateId]: { row: 3, events: [1, 2, 3] },
  });
  expect(await lab.rows('SELECT id FROM outbox')).toHaveLength(4);
});

test('a COMMIT that is done on a silent server is reported as unknown in time; a repeat with the key gets the first answer', async () => {
  const { lab, proxy, commits } = await openBehindProxy();
  loseNextAnswer(proxy);
  await expect(commits.commit(createThing('a', { key: 'k' }))).rejects.toThrow(UnavailableError);
  endConnections(proxy);
  await commits.idle();
  expect(await commits.commit(createThing('a', { key: 'k' }))).toEqual({
    kind: 'repeated',
    answer: Buffer.from('a 1'),
  });
  expect(await lab.rows('SELECT id FROM outbox')).toHaveLength(1);
});

test('a command whose COMMIT still runs when its connection breaks is done once, whichever attempt finishes first', async () => {
  const { lab, proxy, commits } = await openBehindProxy(40_000, 50_000);
  const [thing, other] = [createThing('a'), createThing('a')];
  await Promise.all([commits.commit(thing), commits.commit(other)]);
  // The lock waits for the longest statement of whatever else uses this server, and the commits for
  // the lock. COMMIT waits on the server while this lock is held; it does not notice that its
  // client is gone.
  onTestFinished(async () => void (await lab.root.query('UNLOCK TABLES')));
  const undo = setFailpoint('before-commit', async () => {
    undo();
    await lab.root.query('FLUSH TABLES WITH READ LOCK');
  });
  onTestFinished(undo);
  const outcomes = [
    commits.commit(createThing('b')),
    commits.commit(editThing(thing.aggregateId, 'c')),
    // Tried again, it finds the version that it has made itself.
    commits.commit(editThing(other.aggregateId, 'd', { ifVersion: 1 })),
  ];
  await waitUntil('COMMIT waits', () => hasState(lab, 'Waiting for commit lock'));
  endConnections(proxy);
  await waitUntil('a second attempt waits', () => hasState(lab, 'Waiting for global read lock'));
  await lab.root.query('UNLOCK TABLES');
  expect(await Promise.all(outcomes)).toMatchObject([
    { kind: 'committed', state: { version: 1, text: 'b' } },
    { kind: 'committed', state: { version: 2, text: 'c' } },
    { kind: 'committed', state: { version: 2, text: 'd' } },
  ]);
  for (const { aggregateId } of [thing, other])
    expect(await lab.versions()).toMatchObject({ [aggregateId]: { row: 2, events: [1, 2] } });
  expect(await lab.rows('SELECT id FROM outbox')).toHaveLength(5);
});

test('a COMMIT of the second attempt whose answer is cut gives the state that it stored, not that of the first', async () => {
  const { lab, proxy, commits } = await openBehindProxy();
  const thing = createThing('a');
  await commits.commit(thing);
  let begins = 0;
  onTestFinished(
    setFailpoint('before-begin', async () => {
      // Alone, after the attempt that was shared with the spoiled command: another instance was
      // faster.
      if (++begins === 3) await lab.root.query("UPDATE thing SET version = 2, text = 'elsewhere'");
    }),
  );
  loseNextAnswer(proxy);
  const spoiled = commits.commit(
    editThing(thing.aggregateId, 'spoiled', {
      spoil: (event) => ({ ...event, aggregateType: 'other' }),
    }),
  );
  const edit = editThing(thing.aggregateId, 'b');
  const appended = commits.commit({
    ...edit,
    decide(found) {
      const decision = edit.decide(found);
      return decision.kind === 'change'
        ? { ...decision, state: { ...decision.state, text: `${found?.text} and b` } }
        : decision;
    },
  });
  await expect(spoiled).rejects.toThrow('outbox_aggregatetype');
  await waitForEvents(lab, 2);
  endConnections(proxy);
  expect(await appended).toMatchObject({
    kind: 'committed',
    state: { version: 3, text: 'elsewhere and b' },
  });
});

test('a command is not reported as undone when its COMMIT is done, the answer cut and the database away', async () => {
  const { lab, proxy, commits } = await openBehindProxy();
  loseNextAnswer(proxy);
  const unknown = commits.commit(createThing('a'));
  await waitForEvents(lab, 1);
  proxy.set({ kind: 'cut' });
  await expect(unknown).rejects.toThrow('cannot be told yet');
});

test('every command is reported as not done, and is not, when the server refuses a statement before COMMIT', async () => {
  const lab = await openOutboxLab(inject('stack'));
  const { commits } = await lab.open();
  const thing = createThing('a');
  await commits.commit(thing);
  await lab.root.query('ALTER SCHEMA ?? READ ONLY = 1', [lab.name]);
  const writable = (): Promise<unknown> =>
    lab.root.query('ALTER SCHEMA ?? READ ONLY = 0', [lab.name]);
  onTestFinished(async () => void (await writable()));
  const outcomes = await Promise.allSettled([
    commits.commit(createThing('b')),
    commits.commit(createThing('c', { key: 'k' })),
    commits.commit(editThing(thing.aggregateId, 'd')),
  ]);
  const message = 'The database takes no writes. So it was not done.';
  expect(outcomes).toMatchObject(outcomes.map(() => ({ status: 'rejected', reason: { message } })));
  await writable();
  expect(await lab.rows('SELECT id FROM outbox')).toHaveLength(1);
});

test('a command is reported as not done when the server falls silent before COMMIT is sent', async () => {
  const { lab, proxy, commits } = await openBehindProxy(400);
  const undo = setFailpoint('between-inserts', () => {
    undo();
    proxy.set({ kind: 'half-open', drop: 'both' });
  });
  onTestFinished(undo);
  const silent = commits.commit(createThing('a'));
  await expect(silent).rejects.toThrow(
    'The database did not answer within 400 ms. So it was not done.',
  );
  expect(await lab.rows('SELECT id FROM outbox')).toEqual([]);
});

test('a database that is away refuses every member of the batch as unavailable, and serves again by itself', async () => {
  const { lab, proxy, commits } = await openBehindProxy();
  proxy.set({ kind: 'cut' });
  const outcomes = await Promise.allSettled(
    ['a', 'b', 'c'].map((text) => commits.commit(createThing(text))),
  );
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(UnavailableError) });
    expect(outcome).toMatchObject({
      reason: { message: expect.stringContaining('it was not done') },
    });
  }
  proxy.set({ kind: 'none' });
  expect(await commits.commit(createThing('d'))).toMatchObject({ kind: 'committed' });
  expect(await lab.rows('SELECT text FROM thing')).toEqual([{ text: 'd' }]);
});

async function hasState({ root, name }: OutboxLab, state: string): Promise<boolean> {
  const [rows] = await root.query('SHOW PROCESSLIST');
  return (rows as { db: string | null; State: string | null }[]).some(
    (row) => row.db === name && row.State?.startsWith(state),
  );
}
