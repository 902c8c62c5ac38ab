import { setFailpoint } from '@board/service/testing';
import { waitUntil } from '@board/test';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { InvalidEventError } from '../src/errors.ts';
import { deadLetterHeaders } from '../src/fail/headers.ts';
import { openInboxLab, readDeadLetters, type InboxLab } from './support/inbox-lab.ts';
import { appliedVersions, thingLogHandler } from './support/thing-log.ts';

let lab: InboxLab;
beforeAll(async () => {
  lab = await openInboxLab(inject('stack'));
});
afterEach(() => lab.reset());
afterAll(() => lab.close());

const range = (to: number): number[] => Array.from({ length: to }, (_, index) => index + 1);
const applied = () => appliedVersions(lab.schema.root);

describe('applying', () => {
  it('applies every version of every aggregate once and in order', async () => {
    await lab.start(thingLogHandler({ batch: true }));
    const ids = ['a', 'b', 'c', 'd', 'e'];
    await lab.produce(range(40).flatMap((version) => ids.map((id) => lab.thing(id, version))));
    await lab.caughtUp();
    expect(await applied()).toEqual(new Map(ids.map((id) => [id, range(40)])));
  });

  it('changes nothing when a whole topic is delivered again', async () => {
    const records = range(20).flatMap((version) => ['a', 'b'].map((id) => lab.thing(id, version)));
    const first = await lab.start(thingLogHandler());
    await lab.produce(records);
    await lab.caughtUp();
    await first.stop();
    await lab.produce(records);
    await lab.start(thingLogHandler());
    await lab.caughtUp();
    expect(await applied()).toEqual(new Map(['a', 'b'].map((id) => [id, range(20)])));
    expect(await lab.rows('SELECT * FROM parked')).toEqual([]);
  });

  it('parks what comes early and applies it once its predecessors are there', async () => {
    await lab.start(thingLogHandler());
    await lab.produce([5, 3, 2, 4].map((version) => lab.thing('a', version)));
    await lab.caughtUp();
    expect(await applied()).toEqual(new Map());
    expect(await lab.rows('SELECT version FROM parked ORDER BY version')).toEqual(
      [2, 3, 4, 5].map((version) => ({ version })),
    );
    await lab.produce([lab.thing('a', 1)]);
    await lab.caughtUp();
    expect(await applied()).toEqual(new Map([['a', range(5)]]));
    expect(await lab.rows('SELECT * FROM parked')).toEqual([]);
  });

  it('leaves mark and effect untouched when the transaction rolls back, then applies', async () => {
    let failures = 0;
    const undo = setFailpoint('before-commit', () => {
      failures += 1;
      if (failures <= 2) throw Object.assign(new Error('planted'), { code: 'ECONNRESET' });
    });
    try {
      const { health } = await lab.start(thingLogHandler(), { settings: { maxWaitMs: 100 } });
      await lab.produce([lab.thing('a', 1)]);
      await lab.caughtUp();
      expect(failures).toBeGreaterThanOrEqual(3);
      expect(await applied()).toEqual(new Map([['a', [1]]]));
      await waitUntil('alarms quiet', () => health.alarms.active().size === 0);
    } finally {
      undo();
    }
  });
});

describe('failing events', () => {
  it('are retried while other aggregates go on, and their followers wait in order', async () => {
    let failuresLeft = 2;
    await lab.start(
      thingLogHandler({
        batch: true,
        sabotage: ({ aggregateId, version }) => {
          if (aggregateId === 'bad' && version === 1 && failuresLeft-- > 0)
            throw new Error('planted');
        },
      }),
    );
    await lab.produce(
      range(30).flatMap((version) => ['bad', 'good', 'fine'].map((id) => lab.thing(id, version))),
    );
    await lab.caughtUp();
    await waitUntil('all of bad applied', async () => (await applied()).get('bad')?.length === 30);
    expect(await applied()).toEqual(new Map(['good', 'fine', 'bad'].map((id) => [id, range(30)])));
    expect(await readDeadLetters(lab)).toEqual([]);
  });

  it('become one dead letter when their attempts are spent; their followers stay parked', async () => {
    const attempts: number[] = [];
    await lab.start(
      thingLogHandler({
        sabotage: ({ version, attempt }) => {
          if (version !== 2) return;
          attempts.push(attempt);
          throw new TypeError('planted');
        },
      }),
    );
    const poison = lab.thing('a', 2);
    await lab.produce([lab.thing('a', 1), poison, lab.thing('a', 3)]);
    const deadLetters = await waitUntil('a dead letter', async () => {
      const found = await readDeadLetters(lab);
      return found.length > 0 && found;
    });
    expect(attempts).toEqual([1, 2, 3, 4]);
    expect(deadLetters).toHaveLength(1);
    expect(deadLetters[0]?.value).toEqual(poison.value);
    expect(deadLetters[0]?.headers).toMatchObject({
      ...poison.headers,
      [deadLetterHeaders.reason]: 'attempts-exhausted',
      [deadLetterHeaders.attempts]: '4',
      [deadLetterHeaders.errorClass]: 'TypeError',
      [deadLetterHeaders.group]: lab.group,
      [deadLetterHeaders.originTopic]: lab.topic,
    });
    expect(await applied()).toEqual(new Map([['a', [1]]]));
    expect(await lab.rows('SELECT version FROM parked')).toEqual([{ version: 3 }]);
  });

  it.each([
    ['a string', 'oops'],
    ['undefined', undefined],
    ['a RangeError', new RangeError('planted')],
    ['a SyntaxError', new SyntaxError('planted')],
    ['an object that cannot be text', Object.create(null)],
    [
      'an error whose message throws',
      Object.defineProperty(new Error(), 'message', { get: () => BigInt('x') }),
    ],
  ])('survives a handler that throws %s', async (_name, thrown) => {
    await lab.start(
      thingLogHandler({
        sabotage: ({ aggregateId, attempt }) => {
          // oxlint-disable-next-line typescript/only-throw-error -- handlers are other people's code
          if (aggregateId === 'bad' && attempt === 1) throw thrown;
        },
      }),
    );
    await lab.produce([lab.thing('bad', 1), lab.thing('good', 1)]);
    await waitUntil('both applied', async () => (await applied()).size === 2);
  });

  it('go to the DLQ at once when the handler calls them invalid', async () => {
    let calls = 0;
    await lab.start(
      thingLogHandler({
        sabotage: () => {
          calls += 1;
          throw new InvalidEventError('planted');
        },
      }),
    );
    await lab.produce([lab.thing('a', 1)]);
    await lab.caughtUp();
    expect(calls).toBe(1);
    expect(
      (await readDeadLetters(lab)).map(({ headers }) => headers[deadLetterHeaders.reason]),
    ).toEqual(['invalid-event']);
  });

  it('are cut at the deadline, and a late write of theirs lands nowhere', async () => {
    const late: Promise<unknown>[] = [];
    await lab.start(
      {
        afterDeadLetter: 'block',
        async handle({ aggregateId, version, eventId, attempt }, tx, signal) {
          const insert = () =>
            tx.query('INSERT INTO thing_log (aggregateid, version, event_id) VALUES (?, ?, ?)', [
              aggregateId,
              version,
              eventId,
            ]);
          if (aggregateId === 'slow' && attempt === 1) {
            const cut = Promise.withResolvers<void>();
            signal.addEventListener('abort', () => cut.resolve());
            const afterCut = cut.promise.then(insert).catch((error: unknown) => error);
            late.push(afterCut);
            return new Promise(() => undefined);
          }
          await insert();
        },
      },
      { settings: { handlerDeadlineMs: 300 } },
    );
    await lab.produce([lab.thing('slow', 1), lab.thing('quick', 1)]);
    await waitUntil('both applied', async () => (await applied()).size === 2);
    expect(await Promise.all(late)).toEqual([expect.any(Error)]);
    expect(await applied()).toEqual(
      new Map([
        ['quick', [1]],
        ['slow', [1]],
      ]),
    );
  });
});

it('gets past many events that hang in one slice, each failing alone', async () => {
  const hangs = new Set(['a3', 'a9', 'a14', 'a20', 'a27', 'a33', 'a38']);
  const { failure } = await lab.start(
    thingLogHandler({
      batch: true,
      sabotage: ({ aggregateId, attempt }) =>
        hangs.has(aggregateId) && attempt === 1 && new Promise(() => undefined),
    }),
    { settings: { handlerDeadlineMs: 150 } },
  );
  await lab.produce(range(40).map((n) => ({ ...lab.thing(`a${n}`, 1), partition: 0 })));
  await waitUntil('all applied', async () => (await applied()).size === 40);
  expect(failure()).toBeUndefined();
  expect(await readDeadLetters(lab)).toEqual([]);
});

it('frees the locks of a handler that is cut in the middle of a long statement', async () => {
  await lab.start(
    {
      ...thingLogHandler(),
      async handle(message, tx, signal) {
        if (message.attempt === 1) await tx.query("SELECT BENCHMARK(2000000000, SHA2('x', 512))");
        await thingLogHandler().handle(message, tx, signal);
      },
    },
    { settings: { handlerDeadlineMs: 300 } },
  );
  await lab.produce([lab.thing('a', 1)]);
  await waitUntil('applied', async () => (await applied()).size === 1, { timeoutMs: 10_000 });
});

describe('the skip policy', () => {
  it('passes over a dead letter, records it, and applies what follows', async () => {
    await lab.start(
      thingLogHandler({
        afterDeadLetter: 'skip',
        sabotage: ({ version }) => {
          if (version === 2) throw new InvalidEventError('planted');
        },
      }),
    );
    await lab.produce(range(4).map((version) => lab.thing('a', version)));
    await waitUntil('version 4 applied', async () => (await applied()).get('a')?.includes(4));
    expect(await applied()).toEqual(new Map([['a', [1, 3, 4]]]));
    expect(await lab.rows('SELECT version, decided_by FROM skipped')).toEqual([
      { version: 2, decided_by: 'policy' },
    ]);
    expect(await readDeadLetters(lab)).toHaveLength(1);
  });
});

describe('records that can never be applied', () => {
  it('without identity go to the DLQ and block nothing', async () => {
    await lab.start(thingLogHandler());
    await lab.produce([
      lab.thing('a', 1, { headers: { version: undefined } }),
      lab.thing('a', 1),
      lab.thing('b', 1, { headers: { id: 'x'.repeat(40) } }),
    ]);
    await lab.caughtUp();
    expect(await applied()).toEqual(new Map([['a', [1]]]));
    expect(
      (await readDeadLetters(lab)).map(({ headers }) => headers[deadLetterHeaders.reason]),
    ).toEqual(['no-identity', 'no-identity']);
  });

  it.each([
    ['a null value', null],
    ['four bytes', Buffer.from([0, 0, 0, 1])],
    ['a wrong magic byte', Buffer.from([7, 0, 0, 0, 1, 2, 3])],
    ['a schema id that the registry does not know', Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 2, 3])],
    ['truncated Avro', 'truncated' as const],
  ])(
    'with %s are dead letters in their turn, byte for byte, and their followers park',
    async (_name, bytes) => {
      const whole = lab.thing('a', 1);
      const value = bytes === 'truncated' ? (whole.value as Buffer).subarray(0, 7) : bytes;
      await lab.start(thingLogHandler());
      await lab.produce([lab.thing('a', 2), lab.thing('a', 1, { value }), lab.thing('b', 1)]);
      await lab.caughtUp();
      const deadLetters = await readDeadLetters(lab);
      expect(deadLetters).toHaveLength(1);
      expect(deadLetters[0]?.value).toEqual(value);
      expect(deadLetters[0]?.headers[deadLetterHeaders.reason]).toBe('invalid-event');
      expect(await applied()).toEqual(new Map([['b', [1]]]));
      expect(await lab.rows('SELECT version FROM parked')).toEqual([{ version: 2 }]);
    },
  );

  it('claim a place that another event holds: conflict', async () => {
    await lab.start(thingLogHandler());
    await lab.produce([
      lab.thing('a', 1, { eventId: 'first' }),
      lab.thing('a', 1, { eventId: 'second' }),
    ]);
    await lab.produce([
      lab.thing('b', 3, { eventId: 'third' }),
      lab.thing('b', 3, { eventId: 'fourth' }),
    ]);
    await lab.caughtUp();
    const deadLetters = await readDeadLetters(lab);
    expect(
      deadLetters.map(({ headers }) => [headers['id'], headers[deadLetterHeaders.reason]]).sort(),
    ).toEqual([
      ['fourth', 'conflict'],
      ['second', 'conflict'],
    ]);
    expect(await applied()).toEqual(new Map([['a', [1]]]));
  });
});
