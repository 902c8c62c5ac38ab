import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Pick } from './corrupt.ts';
import { corruptions } from './corruptions.ts';
import { checkRun, mostPerRule, rules } from './check-run.ts';
import type { MadeUpRun, Step } from './made-up-parts.ts';
import { makeUpRun } from './made-up-run.ts';

type Command = Exclude<Step, { kind: 'foreign' }>;

const plain: Omit<Command, 'kind'> = {
  board: 0,
  answer: 'ok',
  author: null,
  hasContent: true,
  ifMatch: 'none',
  slack: [2, 2],
  way: { copies: 0, refusals: 0 },
};
const step = (kind: Command['kind'], changes: Partial<Command> = {}): Step => ({
  ...plain,
  ...changes,
  kind,
});

/** A run to which every corruption can be applied. */
const everything: readonly Step[] = [
  step('create', { author: '민지' }),
  step('create', { answer: 'repeated', author: '민지' }),
  step('create', { answer: 'doubled' }),
  step('create', { answer: 'unknown, done' }),
  step('create', { answer: 'unknown, not done' }),
  step('create', { answer: 'not done' }),
  step('create'),
  // Board 0: two edits, the second one unknown.
  step('edit', { ifMatch: 'current' }),
  step('edit', { ifMatch: 'stale' }),
  step('edit', { hasContent: false, way: { copies: 2, refusals: 2 } }),
  step('edit', { answer: 'unknown, done' }),
  step('edit', { answer: 'not done' }),
  step('delete', { answer: 'unknown, not done' }),
  // Board 1: deleted once, and others come too late.
  step('edit', { board: 1, answer: 'repeated' }),
  step('edit', { board: 1, answer: 'unknown, done' }),
  step('delete', { board: 1 }),
  step('delete', { board: 1 }),
  step('edit', { board: 1 }),
  step('edit', { board: 1, answer: 'unknown, not done' }),
  // Board 2: a dead letter and what follows it.
  step('edit', { board: 2, answer: 'unknown, done' }),
  step('edit', { board: 2, way: { copies: 1, refusals: 4 } }),
  step('edit', { board: 2 }),
  step('delete', { board: 2, answer: 'unknown, done' }),
  { kind: 'foreign', count: 3, to: 'source', isBatch: false },
  { kind: 'foreign', count: 4, to: 'source', isBatch: true },
  { kind: 'foreign', count: 2, to: 'retry', isBatch: false },
  { kind: 'foreign', count: 2, to: 'dlq', isBatch: false },
  step('create', { slack: [30, 400], way: { copies: 0, refusals: 4 } }),
  step('create'),
];

const broken = (run: MadeUpRun): string[] => [
  ...new Set(checkRun(run.history, run.evidence).map(({ rule }) => rule)),
];

test('a run in which everything went as it must has no violation', () => {
  const { history, evidence } = makeUpRun(everything);
  expect(checkRun(history, evidence)).toEqual([]);
});

test('retry records that were trimmed are not missed', () => {
  const { history, evidence } = makeUpRun(everything);
  evidence.retries = [];
  expect(checkRun(history, evidence)).toEqual([]);
});

test('a foreign record that claims an identity is known by its place when its dead letter does not hold it', () => {
  const { history, evidence } = makeUpRun(everything);
  const { id, topic } = history.foreign.find((one) => one.topic.includes('.retry.')) ?? {
    id: 0,
    topic: '',
  };
  const place = { topic, partition: 0, offset: 900 };
  const identity = { id: 'hand-made', aggregateId: 'hand-made', version: '1' };
  const record = {
    ...place,
    appendedAt: 0,
    key: null,
    digest: null,
    headers: identity,
    foreignId: id,
  };
  evidence.retries.push(record);
  const none = { boardId: null, version: null, eventId: null, closedBy: null };
  evidence.deadLetters.push({
    ...none,
    ...place,
    reason: 'no-identity',
    error: 'origin',
    lastOffset: place.offset,
  });
  const bare = {
    ...identity,
    'inbox-reason': 'no-identity',
    'kafka_dlt-original-topic': topic,
    'kafka_dlt-original-partition': '0',
    'kafka_dlt-original-offset': '900',
  };
  evidence.dlq.push({ ...record, topic: 'catalog-service.dlq', headers: bare, foreignId: null });
  expect(checkRun(history, evidence)).toEqual([]);
});

describe('exactly one rule is broken by', () => {
  test.for(corruptions.map(({ name, rule, apply }) => [name, rule, apply] as const))(
    '%s',
    ([, rule, apply]) => {
      // The first candidates and some later ones.
      for (const nth of [0, 1, 2, 5, 11]) {
        const run = makeUpRun(everything);
        const pick: Pick = (items) => items[nth % Math.max(1, items.length)];
        expect(apply(run, pick)).toBe(true);
        expect(broken(run)).toEqual([rule]);
      }
    },
  );
});

test('every rule is broken by some corruption', () => {
  const corrupted = new Set(corruptions.map(({ rule }) => rule));
  expect(rules.map(({ name }) => name).filter((name) => !corrupted.has(name))).toEqual([]);
});

const way = fc.record({ copies: fc.nat(2), refusals: fc.constantFrom(0, 0, 0, 0, 1, 3, 4) });
const command = fc.record<Command>({
  kind: fc.constantFrom('create', 'edit', 'edit', 'edit', 'delete'),
  board: fc.nat(7),
  answer: fc.constantFrom(
    'ok',
    'ok',
    'ok',
    'repeated',
    'doubled',
    'unknown, done',
    'unknown, not done',
    'not done',
  ),
  author: fc.constantFrom(null, '민지', '서준'),
  hasContent: fc.boolean(),
  ifMatch: fc.constantFrom('none', 'none', 'current', 'stale'),
  slack: fc.tuple(fc.nat(60), fc.nat(60)),
  way,
});
const foreign = fc.record<Extract<Step, { kind: 'foreign' }>>({
  kind: fc.constant('foreign'),
  count: fc.integer({ min: 1, max: 4 }),
  to: fc.constantFrom('source', 'retry', 'dlq'),
  isBatch: fc.boolean(),
});
const steps = fc.array(
  fc.oneof({ weight: 8, arbitrary: command }, { weight: 1, arbitrary: foreign }),
  {
    maxLength: 40,
  },
);

test(
  'a good run has no violation with any drawn clients, copies, refusals and foreign records',
  { timeout: 60_000 },
  () => {
    fc.assert(
      fc.property(steps, (drawn) => {
        const { history, evidence } = makeUpRun(drawn);
        expect(checkRun(history, evidence)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  },
);

test('one corruption of any good run breaks its rule and no other', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(...corruptions), fc.nat(), (drawn, { rule, apply }, nth) => {
      const run = makeUpRun(drawn);
      fc.pre(apply(run, (items) => items[nth % Math.max(1, items.length)]));
      expect(broken(run)).toEqual([rule]);
    }),
    { numRuns: 600 },
  );
});

describe('among others', () => {
  const among = (run: MadeUpRun): MadeUpRun => {
    run.history.run.alone = false;
    return run;
  };
  // These concern no board of this run.
  const ofOthers = [
    'a catalog row without a board',
    'a mark without a board',
    'a parked event without a board',
    'a board without any event',
    'a record of a board that does not exist',
    'a record that nothing explains',
    'a dead letter of nothing that was injected',
    'a dead letter that no alarm knows',
    'a record that no group has committed',
    'a creation that was counted twice',
    'a creation that was counted on another day',
    'a copy that names another board',
    'a foreign record that was passed over',
  ];
  const nothingOfTheRun = [
    'a dead letter that the DLQ does not hold',
    'an acknowledged record that the topic does not hold',
    'a retry record that was passed over and trimmed',
    // It could be a board of another run with the same prefix only if that were not unique.
    'a board whose creation was acknowledged is gone without a trace',
  ];

  test.for(ofOthers)('%s is no matter of the run', (name) => {
    const run = among(makeUpRun(everything));
    const corruption = corruptions.find((one) => one.name === name);
    expect(corruption?.apply(run, ([first]) => first)).toBe(true);
    expect(checkRun(run.history, run.evidence)).toEqual([]);
  });

  test('every other corruption of its own boards is found', () => {
    for (const { name, rule, apply } of corruptions) {
      if (ofOthers.includes(name) || nothingOfTheRun.includes(name)) continue;
      const run = among(makeUpRun(everything));
      apply(run, ([first]) => first);
      expect([name, ...broken(run)]).toEqual([name, rule]);
    }
  });
});

test('a rule that is broken for every board is reported for the first of them, with the count', () => {
  const run = makeUpRun(Array.from({ length: 50 }, () => step('create')));
  run.evidence.catalog = [];
  const violations = checkRun(run.history, run.evidence);
  expect(violations).toHaveLength(mostPerRule);
  expect(violations.at(-1)?.sentence).toMatch(/ \(50 of this rule, 20 are shown\)$/);
});

test('a violation has everything that is known about its board, in the order of time', () => {
  const { history, evidence } = makeUpRun([
    step('create', { author: '민지', way: { copies: 1, refusals: 0 } }),
    step('edit', { way: { copies: 0, refusals: 4 } }),
    step('edit', { answer: 'unknown, done' }),
    step('create'),
  ]);
  const at = history.run.startedAt;
  const fault = { name: 'kill', target: 'mysql', tookAt: null, readyAt: null, details: 'pid 7' };
  history.faults = [
    { ...fault, id: 1, begunAt: at - 90, endedAt: at - 80 },
    { ...fault, id: 2, begunAt: at + 9, endedAt: at + 25, tookAt: at + 11 },
  ];
  evidence.parked = [];
  const [violation] = checkRun(history, evidence);
  expect(violation?.rule).toBe('what follows a dead letter is parked');
  const lines = violation?.story.map(
    (line) => `${line.at === null ? 'end' : line.at - at} ${line.text}`,
  );
  expect(lines).toEqual([
    '8 client 1: create key-1, title "chaos 1 글 1": attempt 1 sent',
    '9 fault 2, kill of mysql: begun, pid 7',
    '10 outbox: BoardCreated 1, event event-1, title "chaos 1 글 1"',
    '11 fault 2, kill of mysql: took',
    '12 client 1: create key-1, title "chaos 1 글 1": 201',
    '12 client 1: create key-1, title "chaos 1 글 1": outcome ok, version 1',
    '13 the record board/2/0: event event-1, version 1, key 민지',
    '13 the record board/2/1: event event-1, version 1, key 민지',
    '18 client 2: edit key-2, title "chaos 1 글 2": attempt 1 sent',
    '20 outbox: BoardEdited 2, event event-2, title "chaos 1 글 2"',
    '22 client 2: edit key-2, title "chaos 1 글 2": 200',
    '22 client 2: edit key-2, title "chaos 1 글 2": outcome ok, version 2',
    '23 the record board/2/2: event event-2, version 2, key 민지',
    '25 fault 2, kill of mysql: ended',
    '28 client 3: edit key-3, title "chaos 1 글 3": attempt 1 sent',
    '30 outbox: BoardEdited 3, event event-3, title "chaos 1 글 3"',
    '32 client 3: edit key-3, title "chaos 1 글 3": TimeoutError',
    '32 client 3: edit key-3, title "chaos 1 글 3": outcome unknown',
    '33 the record board/2/3: event event-3, version 3, key 민지',
    '43 the record catalog-service.retry.1/2/0: event event-2, version 2, key 민지, after attempt 1',
    '43 the record catalog-service.retry.1/2/1: event event-2, version 2, key 민지, after attempt 2',
    '43 the record catalog-service.retry.1/2/2: event event-2, version 2, key 민지, after attempt 3',
    '43 the record catalog-service.dlq/2/0: event event-2, version 2, key 민지, dead letter: attempts-exhausted',
    'end board: version 3, title "chaos 1 글 3"',
    'end catalog: version 1, title "chaos 1 글 1", 1 applied',
    'end mark: 1, event event-1',
    'end dead letter: version 2, attempts-exhausted, open: refused on purpose',
    'end the handler refused version 2 4 times',
  ]);
});

test('a ledger that contradicts itself is refused', () => {
  const { history, evidence } = makeUpRun([step('create'), step('create')]);
  const [first, second] = history.operations;
  if (!first || !second) throw new Error('two operations are needed');
  const refuse = (operations: typeof history.operations) => () =>
    checkRun({ ...history, operations }, evidence);
  expect(refuse([first, { ...second, key: first.key }])).toThrow(
    'the ledger has two operations with the key key-1',
  );
  expect(refuse([first, { ...second, title: first.title }])).toThrow(
    'the ledger has two operations with the title',
  );
  expect(refuse([{ ...first, title: 'other' }])).toThrow('must begin with chaos 1 ');
});

test('a long run with 100,000 foreign records is checked in seconds', { timeout: 60_000 }, () => {
  const commands = Array.from({ length: 10_000 }, (_, n) =>
    step(n % 4 === 0 ? 'create' : 'edit', { board: n, way: { copies: n % 2, refusals: 0 } }),
  );
  const foreign: Step = { kind: 'foreign', count: 100_000, to: 'source', isBatch: false };
  const { history, evidence } = makeUpRun([...commands, foreign]);
  // A rule that searches a list for each record would take minutes.
  expect(checkRun(history, evidence)).toEqual([]);
});
