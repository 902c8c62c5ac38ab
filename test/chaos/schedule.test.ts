import { expect, test } from 'vitest';
import { foreignKindNames } from '../survival/foreign-records.ts';
import {
  drawSchedule,
  exclude,
  faultKinds,
  findProblem,
  linkNames,
  processNames,
  type ScheduledFault,
  type ScheduleOptions,
} from './schedule.ts';

const everything: ScheduleOptions = { durationMs: 60_000, hasProxies: true };
const seeds = Array.from({ length: 20 }, (_, index) => index + 1);
const drawn = (options: ScheduleOptions): ScheduledFault[] =>
  seeds.flatMap((seed) => drawSchedule(seed, options));

test('a seed draws the same schedule each time, and another seed another one', () => {
  expect(drawSchedule(7, everything)).toEqual(drawSchedule(7, everything));
  expect(drawSchedule(7, everything)).not.toEqual(drawSchedule(8, everything));
});

test('twenty seeds of a minute draw every kind of fault', () => {
  expect(new Set(drawn(everything).map(({ kind }) => kind))).toEqual(new Set(faultKinds));
});

test('twenty seeds of two minutes draw every kind of foreign record, and kill, freeze and disturb everything', () => {
  const faults = drawn({ ...everything, durationMs: 120_000 });
  const targetsOf = (isWanted: (fault: ScheduledFault) => boolean) =>
    new Set(faults.filter(isWanted).map(({ target }) => target));
  expect(targetsOf(({ kind }) => kind === 'foreign records')).toEqual(new Set(foreignKindNames));
  expect(targetsOf(({ kind }) => kind === 'kill')).toEqual(new Set(processNames));
  expect(targetsOf(({ kind }) => kind === 'freeze')).toEqual(new Set(processNames));
  expect(targetsOf(({ kind }) => kind.startsWith('link '))).toEqual(new Set(linkNames));
});

test('faults overlap, but never two of which one forbids the other', () => {
  let overlapping = 0;
  for (const seed of seeds) {
    const schedule = drawSchedule(seed, everything);
    for (const [index, fault] of schedule.entries())
      for (const later of schedule.slice(index + 1)) {
        if (later.atMs >= fault.atMs + fault.forMs) continue;
        overlapping += 1;
        expect({ fault, later, isExcluded: exclude(fault, later) }).toEqual({
          fault,
          later,
          isExcluded: false,
        });
      }
  }
  expect(overlapping).toBeGreaterThan(seeds.length);
});

test('every fault begins within the run, and ends soon after it at the latest', () => {
  for (const { atMs, forMs } of drawn(everything)) {
    expect(atMs).toBeLessThan(everything.durationMs);
    expect(atMs + forMs).toBeLessThanOrEqual(everything.durationMs + 10_000);
  }
});

test('without proxies the faults that need them are left out', () => {
  const kinds = new Set(drawn({ durationMs: 300_000, hasProxies: false }).map(({ kind }) => kind));
  const needy = faultKinds.filter(
    (kind) => kind.startsWith('link ') || kind === 'registry answers 500',
  );
  expect([...kinds].toSorted()).toEqual(
    faultKinds.filter((kind) => !needy.includes(kind)).toSorted(),
  );
});

const fault = (kind: ScheduledFault['kind'], target: string): ScheduledFault => ({
  id: 1,
  kind,
  target,
  atMs: 0,
  forMs: 0,
  how: null,
});

test('a schedule that a file holds is refused where it cannot run', () => {
  const drawnOne = drawSchedule(1, everything);
  expect(findProblem(drawnOne, true)).toBeUndefined();
  expect(findProblem(drawnOne, false)).toMatch(
    /^fault \d+ \((link|registry) .*\) needs a stack of its own$/,
  );
  expect(findProblem([], true)).toBe('it has no fault');
  const broken: readonly [object, string][] = [
    [{ kind: 'explosion' }, 'fault 1 is "explosion", which is no kind of fault'],
    [{ target: 'kafka-4' }, 'fault 1 (kill) has the target "kafka-4"'],
    [
      { kind: 'link slow', target: 'connect->mysql', how: '7' },
      'fault 1 (link slow) has the manner "7"',
    ],
    [{ atMs: 'soon' }, 'fault 1 (kill) has no time'],
  ];
  for (const [change, problem] of broken)
    expect(findProblem([{ ...fault('kill', 'mysql'), ...change }], true)).toBe(problem);
});

test.for([
  ['two brokers', fault('kill', 'kafka-1'), fault('freeze', 'kafka-2')],
  ['a broker beside foreign records', fault('foreign records', 'lz4'), fault('kill', 'kafka-2')],
  ['MySQL while it is read-only', fault('MySQL read-only', 'mysql'), fault('kill', 'mysql')],
  ['MySQL while a column is renamed', fault('column renamed', 'catalog'), fault('freeze', 'mysql')],
  ['a process that is frozen', fault('kill', 'connect'), fault('freeze', 'connect')],
  ['a link that is cut', fault('link slow', 'connect->mysql'), fault('link cut', 'connect->mysql')],
  [
    'a registry that fails',
    fault('registry answers 500', 'registry'),
    fault('link cut', 'order-service->registry'),
  ],
] as const)('nothing else happens to %s', ([, one, other]) => {
  expect(exclude(one, other)).toBe(true);
  expect(exclude(other, one)).toBe(true);
});

test('a consumer may die while its database is out of reach', () => {
  expect(
    exclude(fault('link cut', 'catalog-service-1->mysql'), fault('kill', 'catalog-service-1')),
  ).toBe(false);
});
