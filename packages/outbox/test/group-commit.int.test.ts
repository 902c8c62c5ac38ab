import { UnavailableError } from '@board/service';
import { setFailpoint } from '@board/service/testing';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import type { OutboxEvent } from '../src/index.ts';
import { createThing, editThing, openOutboxLab, type OutboxLab } from './support/outbox-lab.ts';
import { holdFailpoint } from './support/hold-failpoint.ts';

const open = () => openOutboxLab(inject('stack'));

async function countRows({ rows }: OutboxLab): Promise<unknown> {
  const [counts] = await rows(
    `SELECT (SELECT COUNT(*) FROM thing) AS things, (SELECT COUNT(*) FROM outbox) AS events,
            (SELECT COUNT(*) FROM idempotency_key) AS \`keys\``,
  );
  return counts;
}

function listenToBatches() {
  const batches: number[] = [];
  const observeBatch = (size: number) => {
    batches.push(size);
    return () => undefined;
  };
  return {
    batches,
    metrics: { observeBatch, observeQueue: () => undefined, countRefused: () => undefined },
  };
}

test('a commit stores the change and its event, every byte and the time unchanged', async () => {
  const lab = await open();
  const { commits } = await lab.open();
  const command = createThing('a', { key: 'k' });
  const { aggregateId: id, eventId } = command;
  expect(await commits.commit(command)).toEqual({
    kind: 'committed',
    state: { id, version: 1, text: 'a' },
    answer: Buffer.from('a 1'),
  });
  expect(
    await lab.rows('SELECT *, CAST(occurred_at AS CHAR) AS occurred_text FROM outbox'),
  ).toMatchObject([
    {
      seq: 1,
      id: eventId,
      aggregatetype: 'thing',
      aggregateid: id,
      version: 1,
      partition_key: '김철수 😀',
      type: 'ThingChanged',
      payload: Buffer.from([0, 255, 1, 39, 92]),
      traceparent: null,
      occurred_text: '2026-01-02 03:04:05.678000',
    },
  ]);
  expect(await countRows(lab)).toEqual({ things: 1, events: 1, keys: 1 });
});

describe('sharing', () => {
  test('what arrives while a transaction runs shares the next one; a lone command does not wait', async () => {
    const lab = await open();
    const { batches, metrics } = listenToBatches();
    const { commits } = await lab.open({ limits: { transactions: 1 }, metrics });
    const held = holdFailpoint('before-commit');
    let isAnswered = false;
    const first = commits.commit(createThing('lone')).finally(() => (isAnswered = true));
    await held.reached;
    expect(isAnswered).toBe(false);
    const others = Array.from({ length: 10 }, (_, n) => commits.commit(createThing(`shared ${n}`)));
    held.release();
    expect((await Promise.all([first, ...others])).every(({ kind }) => kind === 'committed')).toBe(
      true,
    );
    expect(batches).toEqual([1, 10]);
    expect(await countRows(lab)).toEqual({ things: 11, events: 11, keys: 0 });
  });

  test('a slow transaction does not delay later commands for long', async () => {
    const lab = await open();
    const { batches, metrics } = listenToBatches();
    const { commits } = await lab.open({ metrics });
    const held = holdFailpoint('before-commit');
    const slow = Array.from({ length: 5 }, (_, n) => commits.commit(createThing(`slow ${n}`)));
    await held.reached;
    held.holdNoMore();
    // Fewer than run, so they wait for more; these two never come.
    const later = [1, 2].map((n) => commits.commit(createThing(`later ${n}`)));
    expect((await Promise.all(later)).every(({ kind }) => kind === 'committed')).toBe(true);
    expect(await countRows(lab)).toEqual({ things: 2, events: 2, keys: 0 });
    held.release();
    await Promise.all(slow);
    expect(batches).toEqual([5, 2]);
  });

  test('a batch ends at its limit of rows, or of bytes', async () => {
    const lab = await open();
    const { batches, metrics } = listenToBatches();
    const { commits } = await lab.open({
      limits: { transactions: 1, batchRows: 3, batchBytes: 10 },
      metrics,
    });
    const texts = ['1', '1', '1', '1', '8 bytes.', '22', '1', 'more than all of it'];
    await Promise.all(texts.map((text) => commits.commit(createThing(text))));
    expect(batches).toEqual([3, 2, 2, 1]);
  });

  test('commands of one aggregate keep their order, in one transaction and across many', async () => {
    const lab = await open();
    const { commits } = await lab.open({ limits: { transactions: 4, batchRows: 3 } });
    const commands = Array.from({ length: 4 }, () => createThing('0'));
    await Promise.all(commands.map((command) => commits.commit(command)));
    const edits = Array.from({ length: 20 }, (_, n) => n + 1).flatMap((n) =>
      commands.map(({ aggregateId }) => commits.commit(editThing(aggregateId, String(n)))),
    );
    const outcomes = await Promise.all(edits);
    expect(outcomes.map((outcome) => outcome.kind === 'committed' && outcome.state)).toEqual(
      Array.from({ length: 20 }, (_, n) => n + 1).flatMap((n) =>
        commands.map(({ aggregateId: id }) => ({ id, version: n + 1, text: String(n) })),
      ),
    );
    const all = { row: 21, events: Array.from({ length: 21 }, (_, n) => n + 1) };
    expect(Object.values(await lab.versions())).toEqual([all, all, all, all]);
  });

  test('two instances that edit the same things lose no update, and each version has one event', async () => {
    const lab = await open();
    const [here, there] = [(await lab.open()).commits, (await lab.open()).commits];
    const commands = Array.from({ length: 5 }, () => createThing('0'));
    await Promise.all(commands.map((command) => here.commit(command)));
    let done = 0;
    const edits = Array.from({ length: 200 }, async (_, n) => {
      const id = commands[n % commands.length]?.aggregateId ?? '';
      const outcome = await (n % 2 === 0 ? here : there).commit(editThing(id, String(n)));
      if (outcome.kind === 'committed') done += 1;
    });
    const failed = (await Promise.allSettled(edits)).filter(({ status }) => status === 'rejected');
    const versions = Object.values(await lab.versions());
    for (const { row, events } of versions)
      expect(events).toEqual(Array.from({ length: row }, (_, n) => n + 1));
    const written = versions.reduce((sum, { row }) => sum + row - 1, 0);
    expect({ written, failed: failed.length }).toEqual({ written: done, failed: 0 });
  });

  test('a refusal leaves the batch before anything is written, and its key is not kept', async () => {
    const lab = await open();
    const { commits } = await lab.open();
    const thing = createThing('a');
    await commits.commit(thing);
    const outcomes = await Promise.all([
      commits.commit(editThing(thing.aggregateId, 'b', { key: 'stale', ifVersion: 7 })),
      commits.commit(editThing('missing', 'b', { key: 'missing' })),
      commits.commit(editThing(thing.aggregateId, 'c', { key: 'done', ifVersion: 1 })),
      commits.commit(editThing(thing.aggregateId, 'd', { key: 'late', ifVersion: 1 })),
    ]);
    expect(outcomes).toEqual([
      { kind: 'refused', refusal: 'stale' },
      { kind: 'refused', refusal: 'missing' },
      {
        kind: 'committed',
        state: { id: thing.aggregateId, version: 2, text: 'c' },
        answer: Buffer.from('c 2'),
      },
      { kind: 'refused', refusal: 'stale' },
    ]);
    expect(await countRows(lab)).toEqual({ things: 1, events: 2, keys: 1 });
  });
});

describe('a member that cannot be written fails alone', () => {
  const spoiled: [string, (event: OutboxEvent) => OutboxEvent, string][] = [
    [
      'of an unknown aggregate type',
      (event) => ({ ...event, aggregateType: 'other' }),
      'outbox_aggregatetype',
    ],
    ['of version 0', (event) => ({ ...event, version: 0 }), 'outbox_version_from_1'],
    [
      'over 512 KiB',
      (event) => ({ ...event, payload: Buffer.alloc(524_289) }),
      'outbox_payload_size',
    ],
    [
      'that does not encode',
      () => {
        throw new TypeError('breaks its contract');
      },
      'breaks its contract',
    ],
  ];
  test.each(spoiled)('an event %s', async (_, spoil, message) => {
    const lab = await open();
    const { commits } = await lab.open();
    const good = [createThing('a'), createThing('b', { key: 'k' }), createThing('c')];
    const [first, ...others] = good.map((command) => commits.commit(command));
    const bad = commits.commit(createThing('spoiled', { spoil, key: 'spoiled' }));
    const last = commits.commit(createThing('d'));
    await expect(bad).rejects.toThrow(message);
    for (const outcome of await Promise.all([first, ...others, last]))
      expect(outcome?.kind).toBe('committed');
    expect(await countRows(lab)).toEqual({ things: 4, events: 4, keys: 1 });
    expect(await lab.rows("SELECT id FROM thing WHERE text = 'spoiled'")).toEqual([]);
  });

  test('a command with a key whose decision has no answer to keep', async () => {
    const lab = await open();
    const { commits } = await lab.open();
    const good = createThing('a', { key: 'good' });
    const bad = createThing('b', { key: 'bad' });
    const decide: typeof bad.decide = (thing) => ({ ...bad.decide(thing), answer: undefined });
    const [outcome, neighbour] = await Promise.allSettled([
      commits.commit({ ...bad, decide }),
      commits.commit(good),
    ]);
    expect(String(outcome.status === 'rejected' && outcome.reason)).toContain('no answer to keep');
    expect(neighbour).toMatchObject({ value: { kind: 'committed', answer: Buffer.from('a 1') } });
    expect(await countRows(lab)).toEqual({ things: 1, events: 1, keys: 1 });
  });

  test.each([
    ['version', 'outbox_version'],
    ['id', 'outbox_id'],
  ])('a second event with the same %s', async (what, key) => {
    const lab = await open();
    const { commits } = await lab.open();
    const thing = createThing('a');
    await commits.commit(thing);
    const bad = editThing(thing.aggregateId, 'b', {
      spoil: (event) =>
        what === 'id' ? { ...event, id: thing.eventId } : { ...event, version: 1 },
    });
    const [outcome, neighbour] = await Promise.allSettled([
      commits.commit(bad),
      commits.commit(createThing('c')),
    ]);
    expect(outcome).toMatchObject({ status: 'rejected' });
    expect(String(outcome.status === 'rejected' && outcome.reason)).toContain(key);
    expect(neighbour.status).toBe('fulfilled');
    expect(await lab.versions()).toMatchObject({ [thing.aggregateId]: { row: 1, events: [1] } });
  });
});

describe('limits', () => {
  test('a full queue refuses at once, and what it refused is not done', async () => {
    const lab = await open();
    const { commits } = await lab.open({
      limits: { transactions: 1, queueRows: 3, queueBytes: 8 },
    });
    const held = holdFailpoint('before-commit');
    const accepted = [commits.commit(createThing('first'))];
    await held.reached;
    accepted.push(commits.commit(createThing('1')), commits.commit(createThing('2')));
    await expect(commits.commit(createThing('too much'))).rejects.toThrow(UnavailableError);
    accepted.push(commits.commit(createThing('3')));
    await expect(commits.commit(createThing('4'))).rejects.toThrow(
      '3 commands are waiting already',
    );
    held.release();
    await Promise.all(accepted);
    expect(await countRows(lab)).toEqual({ things: 4, events: 4, keys: 0 });
    // There is room again.
    expect(await commits.commit(createThing('5'))).toMatchObject({ kind: 'committed' });
  });

  test('a command that waited too long is not done later, and its key is free', async () => {
    const lab = await open();
    const { commits } = await lab.open({ limits: { transactions: 1, deadlineMs: 300 } });
    const held = holdFailpoint('before-begin');
    const first = commits.commit(createThing('first'));
    const late = commits.commit(createThing('late', { key: 'k' }));
    await expect(first).rejects.toThrow('it was not done');
    await expect(late).rejects.toThrow('it was not done');
    held.release();
    await commits.idle();
    expect(await countRows(lab)).toEqual({ things: 0, events: 0, keys: 0 });
    expect(await commits.commit(createThing('late', { key: 'k' }))).toMatchObject({
      kind: 'committed',
    });
  });

  test('a command whose transaction runs when its time is over is not said to be undone', async () => {
    const lab = await open();
    const { commits } = await lab.open({ limits: { deadlineMs: 300 } });
    const held = holdFailpoint('before-commit');
    const running = commits.commit(createThing('a', { key: 'k' }));
    await expect(running).rejects.toThrow('cannot be told yet');
    expect(await commits.commit(createThing('a', { key: 'k' }))).toEqual({ kind: 'key-running' });
    held.release();
    await commits.idle();
    expect(await commits.commit(createThing('a', { key: 'k' }))).toEqual({
      kind: 'repeated',
      answer: Buffer.from('a 1'),
    });
  });
});

describe('locks of other processes', () => {
  test('a row that another process holds delays no neighbour; its own command waits for it', async () => {
    const lab = await open();
    const { commits } = await lab.open({ limits: { transactions: 1 } });
    const [held, other] = [createThing('held'), createThing('other')];
    await Promise.all([commits.commit(held), commits.commit(other)]);
    await lab.root.query('BEGIN');
    await lab.root.query('SELECT * FROM thing WHERE id = ? FOR UPDATE', [held.aggregateId]);

    const events: string[] = [];
    const waiting = [1, 2].map((n) =>
      commits.commit(editThing(held.aggregateId, `waits ${n}`)).then((outcome) => {
        events.push(`held ${n}`);
        return outcome;
      }),
    );
    await Promise.all([
      commits.commit(editThing(other.aggregateId, 'b')).then(() => events.push('neighbour')),
      commits.commit(createThing('c')).then(() => events.push('neighbour')),
    ]);
    await lab.root.query('COMMIT');
    expect(await Promise.all(waiting)).toMatchObject([
      { state: { version: 2 } },
      { state: { version: 3 } },
    ]);
    expect(events).toEqual(['neighbour', 'neighbour', 'held 1', 'held 2']);
  });

  test('rows that another process holds do not delay later commands; a full queue counts the commands that wait for them', async () => {
    const lab = await open();
    const { commits } = await lab.open({ limits: { transactions: 1, heldWaits: 1, queueRows: 4 } });
    const things = ['a', 'b', 'c', 'd', 'e'].map((text) => createThing(text));
    for (const thing of things) await commits.commit(thing);
    await lab.root.query('BEGIN');
    await lab.root.query('SELECT * FROM thing FOR UPDATE');

    let answered = 0;
    const edit = (from: number, to: number) =>
      things
        .slice(from, to)
        .map(({ aggregateId }) =>
          commits.commit(editThing(aggregateId, 'waits')).finally(() => (answered += 1)),
        );
    const waiting = edit(0, 3);
    expect(await commits.commit(createThing('later'))).toMatchObject({ kind: 'committed' });
    expect(await commits.commit(createThing('later still'))).toMatchObject({ kind: 'committed' });
    expect(answered).toBe(0);
    // Two wait behind the one that waits for its row.
    const last = edit(3, 5);
    await expect(commits.commit(createThing('too much'))).rejects.toThrow(
      '4 commands are waiting already',
    );
    await lab.root.query('COMMIT');
    for (const outcome of await Promise.all([...waiting, ...last]))
      expect(outcome).toMatchObject({ kind: 'committed', state: { version: 2 } });
    await commits.idle();
    expect(Object.values(await lab.versions()).filter(({ row }) => row === 2)).toHaveLength(5);
  });

  test('a command whose row is held for too long is refused as unavailable, and nothing of it is written', async () => {
    const lab = await open();
    const { commits } = await lab.open();
    const held = createThing('held');
    await commits.commit(held);
    await lab.root.query('BEGIN');
    await lab.root.query('SELECT * FROM thing WHERE id = ? FOR UPDATE', [held.aggregateId]);
    await expect(commits.commit(editThing(held.aggregateId, 'b'))).rejects.toThrow(
      UnavailableError,
    );
    await lab.root.query('COMMIT');
    await commits.idle();
    expect(await lab.versions()).toEqual({ [held.aggregateId]: { row: 1, events: [1] } });
  });
});

test.each(['between-inserts', 'before-commit'])(
  'a connection killed %s leaves neither row; the commands are done once, in another transaction',
  async (place) => {
    const lab = await open();
    const { commits } = await lab.open();
    let kills = 0;
    onTestFinished(
      setFailpoint(place, async () => {
        if (++kills > 1) return;
        const [found] = await lab.root.query('SHOW PROCESSLIST');
        for (const { Id, db } of found as { Id: number; db: string }[]) {
          if (db === lab.name && Id !== lab.root.threadId) await lab.root.query('KILL ?', [Id]);
        }
        expect(await countRows(lab)).toEqual({ things: 0, events: 0, keys: 0 });
      }),
    );
    const outcomes = await Promise.all(
      ['a', 'b', 'c'].map((text) => commits.commit(createThing(text, { key: text }))),
    );
    expect(outcomes).toMatchObject(
      ['a', 'b', 'c'].map((text) => ({ kind: 'committed', state: { text, version: 1 } })),
    );
    expect(await countRows(lab)).toEqual({ things: 3, events: 3, keys: 3 });
  },
);
