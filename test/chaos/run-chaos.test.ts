import { expect, test } from 'vitest';
import type { ClientOperation, InjectedFault } from './history.ts';
import type { Violation } from './checker/evidence.ts';
import { decideVerdict, findUnaskedEnds } from './run-chaos.ts';

const done = { outcome: { kind: 'ok', board: null } } as ClientOperation;
const refused = { outcome: { kind: 'refused', status: 412 } } as ClientOperation;
const faults = [{ name: 'kill' } as InjectedFault];
const operations = Array.from({ length: 10 }, () => done);
const violation = { sentence: 'lost' } as Violation;

test('a run with faults and commands that has no violation is clean', () => {
  expect(decideVerdict({ faults, operations }, [], [])).toEqual({ verdict: 'clean' });
});

test('a violation counts even when a fault has failed', () => {
  expect(decideVerdict({ faults: [], operations: [] }, ['has not taken'], [violation])).toEqual({
    verdict: 'violation',
  });
});

test('a run without faults, without commands, or with a fault that did not take proves nothing', () => {
  const problems = [
    decideVerdict({ faults, operations }, ['fault 1: kill, mysql has not taken'], []),
    decideVerdict({ faults: [], operations }, [], []),
    decideVerdict({ faults, operations: [...operations.slice(1), refused] }, [], []),
  ];
  expect(problems).toEqual([
    { verdict: 'not run', problem: 'fault 1: kill, mysql has not taken' },
    { verdict: 'not run', problem: 'nothing went wrong: a longer run has faults' },
    { verdict: 'not run', problem: 'only 9 commands were done' },
  ]);
});

test('a process that was started again more often than it was killed has ended by itself', () => {
  const kill = { name: 'kill', target: 'mysql', tookAt: 1 } as InjectedFault;
  const before = new Map([
    ['mysql', 1],
    ['keeper', 0],
  ]);
  const after = (mysql: number, keeper: number) => new Map(Object.entries({ mysql, keeper }));
  expect(findUnaskedEnds(before, after(2, 0), { faults: [kill] })).toEqual([]);
  expect(findUnaskedEnds(before, after(3, 0), { faults: [kill] })).toEqual(['mysql']);
  expect(findUnaskedEnds(before, after(2, 1), { faults: [kill] })).toEqual(['keeper']);
  expect(findUnaskedEnds(before, after(2, 0), { faults: [{ ...kill, tookAt: null }] })).toEqual([
    'mysql',
  ]);
});
