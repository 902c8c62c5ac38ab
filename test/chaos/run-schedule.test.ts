import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ChaosStack } from './chaos-stack.ts';
import type { InjectedFault } from './history.ts';
import type { Ledger } from './ledger.ts';
import { runSchedule } from './run-schedule.ts';
import type { FaultKind, ScheduledFault } from './schedule.ts';

const fault = (id: number, kind: FaultKind, target: string, forMs = 0): ScheduledFault => ({
  id,
  kind,
  target,
  atMs: 0,
  forMs,
  how: null,
});

/**
 * Runs a schedule on a stack of which only processes are there; the ledger keeps the last of each
 * fault.
 */
function run(schedule: readonly ScheduledFault[], changes: object = {}, refused = 0) {
  const noted = new Map<number, InjectedFault>();
  const thawed: number[] = [];
  const interrupted = new AbortController();
  const stack = {
    kill: () => Promise.resolve(7),
    untilReadyAgain: () => wait(50),
    freeze: (name: string, onPid: (pid: number) => void) => Promise.resolve(onPid(name.length)),
    thaw: (pid: number) => Promise.resolve(thawed.push(pid) > 0),
    ...changes,
  } as unknown as ChaosStack;
  const ledger = {
    fault(one: InjectedFault) {
      if (one.id === refused) throw new Error('ENOSPC: no space left on device');
      noted.set(one.id, one);
    },
  } as unknown as Ledger;
  const over = runSchedule(schedule, {
    stack,
    ledger,
    say: () => undefined,
    signal: interrupted.signal,
  });
  return { over, noted, thawed, interrupted };
}

test('a kill is over when the process is gone, and what follows it waits until another is ready', async () => {
  const { over, noted } = run([fault(1, 'kill', 'mysql'), fault(2, 'freeze', 'mysql')]);
  expect(await over).toEqual({ failures: [] });
  const [kill, freeze] = [noted.get(1), noted.get(2)];
  expect((kill?.readyAt ?? 0) - (kill?.endedAt ?? 0)).toBeGreaterThanOrEqual(45);
  expect(freeze?.begunAt).toBeGreaterThanOrEqual(kill?.readyAt ?? Infinity);
  expect(freeze).toMatchObject({ readyAt: null });
});

test('a process that never comes back is no failure of the run, and stays without a time', async () => {
  const untilReadyAgain = () => Promise.reject(new Error('mysql ready again: not within 120 s'));
  const { over, noted } = run([fault(1, 'kill', 'mysql')], { untilReadyAgain });
  expect(await over).toEqual({ failures: [] });
  expect(noted.get(1)).toMatchObject({ endedAt: expect.any(Number) as number, readyAt: null });
});

test('an abort ends every fault, also slowly, and waits for no process', async () => {
  let isThawed = false;
  const thaw = () => wait(100).then(() => (isThawed = true));
  const untilReadyAgain = () => new Promise(() => undefined);
  const { over, interrupted } = run(
    [fault(1, 'kill', 'mysql'), fault(2, 'freeze', 'connect', 60_000)],
    {
      thaw,
      untilReadyAgain,
    },
  );
  await wait(20);
  interrupted.abort();
  expect(await over).toEqual({ failures: [] });
  expect(isThawed).toBe(true);
});

test('a fault that the ledger cannot take fails alone, and all others are ended', async () => {
  const { over, thawed } = run(
    [fault(1, 'freeze', 'mysql'), fault(2, 'freeze', 'connect', 50)],
    {},
    1,
  );
  const { failures } = await over;
  expect(failures).toEqual([expect.stringContaining('ENOSPC')]);
  expect(thawed).toEqual(['connect'.length]);
});
