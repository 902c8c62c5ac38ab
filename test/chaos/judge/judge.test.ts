import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { corruptions, type Pick } from './corruptions.ts';
import { judge, mostPerRule, rules } from './judge.ts';
import { makeUpRun, type MadeUpRun, type Step } from './made-up-run.ts';

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
const step = (kind: Command['kind'], changes: Partial<Command> = {}): Step => ({ ...plain, ...changes, kind });

/** Has something for every corruption to happen to. */
const everything: readonly Step[] = [
  step('create', { author: '민지' }),
  step('create', { answer: 'repeated', author: '민지' }),
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
  step('delete', { board: 1 }),
  step('delete', { board: 1 }),
  step('edit', { board: 1 }),
  step('edit', { board: 1, answer: 'unknown, not done' }),
  // Board 2: a dead letter and what follows it.
  step('edit', { board: 2, way: { copies: 1, refusals: 4 } }),
  step('edit', { board: 2 }),
  step('delete', { board: 2, answer: 'unknown, done' }),
  { kind: 'foreign', count: 3, to: 'source', isBatch: false },
  { kind: 'foreign', count: 4, to: 'source', isBatch: true },
  { kind: 'foreign', count: 2, to: 'retry', isBatch: false },
  { kind: 'foreign', count: 2, to: 'dlq', isBatch: false },
  step('create', { slack: [30, 400] }),
];

const broken = (run: MadeUpRun): string[] => [...new Set(judge(run.history, run.evidence).map(({ rule }) => rule))];

test('a run in which everything went as it must has no violation', () => {
  const { history, evidence } = makeUpRun(everything);
  expect(judge(history, evidence)).toEqual([]);
});

describe('exactly one rule is broken by', () => {
  test.for(corruptions.map(({ name, rule, apply }) => [name, rule, apply] as const))('%s', ([, rule, apply]) => {
    // Whichever of the candidates it happens to.
    for (const nth of [0, 1, 2, 5, 11]) {
      const run = makeUpRun(everything);
      const pick: Pick = (items) => items[nth % Math.max(1, items.length)];
      expect(apply(run, pick)).toBe(true);
      expect(broken(run)).toEqual([rule]);
    }
  });
});

test('every rule is broken by some corruption', () => {
  const corrupted = new Set(corruptions.map(({ rule }) => rule));
  expect(rules.map(({ name }) => name).filter((name) => !corrupted.has(name))).toEqual([]);
});

const way = fc.record({ copies: fc.nat(2), refusals: fc.constantFrom(0, 0, 0, 0, 1, 3, 4) });
const command = fc.record<Command>({
  kind: fc.constantFrom('create', 'edit', 'edit', 'edit', 'delete'),
  board: fc.nat(7),
  answer: fc.constantFrom('ok', 'ok', 'ok', 'repeated', 'unknown, done', 'unknown, not done', 'not done'),
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
const steps = fc.array(fc.oneof({ weight: 8, arbitrary: command }, { weight: 1, arbitrary: foreign }), {
  maxLength: 40,
});

test('whatever clients, copies, refusals and foreign records there were, a good run has no violation', () => {
  fc.assert(
    fc.property(steps, (drawn) => {
      const { history, evidence } = makeUpRun(drawn);
      expect(judge(history, evidence)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test('one corruption of any good run breaks its rule and no other', () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(...corruptions), fc.nat(), (drawn, { rule, apply }, nth) => {
      const run = makeUpRun(drawn);
      fc.pre(apply(run, (items) => items[nth % Math.max(1, items.length)]));
      expect(broken(run)).toEqual([rule]);
    }),
    { numRuns: 1_500 },
  );
});
