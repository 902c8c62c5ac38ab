import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { Command, PendingCommand } from './command.ts';
import { defaultCommitLimits } from './commit-limits.ts';
import { createCommitQueue, pauseBeforeNext, type Batch } from './commit-queue.ts';

describe('the pause before the next transaction', () => {
  const limits = { transactions: 2, batchRows: 200, patienceMs: 25 };
  const pause = (
    transactions: number,
    commands: number,
    sinceMs: number,
    waiting: number,
  ): number => pauseBeforeNext({ transactions, commands, sinceMs }, waiting, limits);

  it.each([
    ['a lone command begins at once', 0, 0, 0, 1, 0],
    ['two clients do not wait for each other', 1, 1, 0, 1, 0],
    ['fewer than are running wait for more', 1, 30, 10, 29, 15],
    ['as many as are running begin', 1, 30, 10, 30, 0],
    ['a full batch begins', 1, 500, 10, 200, 0],
    ['a slow transaction is waited for no longer than `patienceMs`', 1, 30, 25, 1, 0],
    ['the pause is never negative', 1, 30, 900, 1, 0],
    ['there is an end to transactions at once', 2, 2, 900, 200, Number.POSITIVE_INFINITY],
  ])('%s', (_, transactions, commands, sinceMs, waiting, expected) => {
    expect(pause(transactions, commands, sinceMs, waiting)).toBe(expected);
  });
});

function pendingOf(command: Partial<Command>): PendingCommand {
  const whole: Command = {
    aggregateId: 'a',
    eventId: 'event',
    target: 'existing',
    bytes: 1,
    decide: () => ({ kind: 'refuse', refusal: 'never asked' }),
    ...command,
  };
  const ignore = (): void => undefined;
  return { command: whole, attempts: [], answer: ignore, fail: ignore, isAnswered: () => false };
}

const limits = {
  ...defaultCommitLimits,
  batchRows: 3,
  batchBytes: 12,
  transactions: 2,
  heldWaits: 1,
  queueBytes: 1_000,
};

const aggregateId = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const arriving = fc.record({
  aggregateId,
  bytes: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(30)),
});

/**
 * What a loop does with the queue: adds commands, or ends a batch, some of whose rows are held, or
 * waits.
 */
const steps = fc.array(
  fc.oneof(
    fc.record({ commands: fc.array(arriving, { minLength: 1, maxLength: 8 }) }),
    fc.record({ which: fc.nat(5), held: fc.array(aggregateId, { maxLength: 2 }) }),
    fc.record({ ms: fc.integer({ min: 1, max: 40 }) }),
  ),
  { maxLength: 60 },
);

test('the queue keeps the order of each aggregate, one batch of it at a time, within the limits, in any sequence of events', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const queue = createCommitQueue(limits);
      const added: PendingCommand[] = [];
      const done: PendingCommand[] = [];
      let running: Batch[] = [];
      let nowMs = 0;

      function begin(): void {
        for (let step = queue.next(nowMs); step.kind !== 'pause'; step = queue.next(nowMs))
          running.push(step);
        const shared = running.filter(({ kind }) => kind === 'shared');
        expect(shared.length).toBeLessThanOrEqual(limits.transactions);
        expect(running.length - shared.length).toBeLessThanOrEqual(limits.heldWaits);
        for (const { members } of shared) {
          const bytes = members.reduce((sum, { command }) => sum + command.bytes, 0);
          expect(members.length).toBeLessThanOrEqual(limits.batchRows);
          expect(members.length === 1 || bytes <= limits.batchBytes).toBe(true);
        }
        const ids = running
          .map(({ members }) => [...new Set(members.map(({ command }) => command.aggregateId))])
          .flat();
        expect(new Set(ids).size).toBe(ids.length);
        const under = running.reduce((sum, { members }) => sum + members.length, 0);
        expect(queue.load().rows).toBe(added.length - done.length - under);
        expect(queue.isIdle()).toBe(added.length === done.length);
      }

      function end(batch: Batch, heldIds: readonly string[]): void {
        running = running.filter((one) => one !== batch);
        const isHeld = ({ command }: PendingCommand) =>
          batch.kind === 'shared' && heldIds.includes(command.aggregateId);
        done.push(...batch.members.filter((member) => !isHeld(member)));
        queue.end(batch, batch.members.filter(isHeld));
        begin();
      }

      for (const step of all) {
        if ('ms' in step) nowMs += step.ms;
        else if ('which' in step) {
          const batch = running[step.which % Math.max(running.length, 1)];
          if (batch) end(batch, step.held);
        } else {
          const taken = step.commands
            .map(pendingOf)
            .filter(({ command }) => !queue.findRefusal(command));
          for (const pending of taken) queue.add(pending);
          added.push(...taken);
        }
        begin();
      }
      for (let batch = running[0]; batch; batch = running[0]) end(batch, []);
      expect(queue.isIdle()).toBe(true);
      expect(queue.load()).toEqual({ rows: 0, bytes: 0 });
      const order = (commands: readonly PendingCommand[]) =>
        Map.groupBy(commands, ({ command }) => command.aggregateId);
      for (const [id, commands] of order(added)) expect(order(done).get(id)).toEqual(commands);
    }),
    { numRuns: 300 },
  );
});

test('a key is in use from its command to the end of it, also while its row is held', () => {
  const queue = createCommitQueue(limits);
  const key = { hash: Buffer.alloc(32, 1), fingerprint: Buffer.alloc(32, 2) };
  const other = { ...key, fingerprint: Buffer.alloc(32, 3) };
  const pending = pendingOf({ key });
  const inUse = () => {
    expect(queue.findRefusal(pending.command)).toEqual({ kind: 'key-running' });
    expect(queue.findRefusal({ ...pending.command, key: other })).toEqual({ kind: 'key-reused' });
  };
  expect(queue.findRefusal(pending.command)).toBeUndefined();
  queue.add(pending);
  inUse();
  const shared = queue.next(0) as Batch;
  inUse();
  queue.end(shared, [pending]);
  inUse();
  const row = queue.next(0) as Batch;
  expect(row).toMatchObject({ kind: 'row', members: [pending] });
  inUse();
  queue.end(row, []);
  expect(queue.findRefusal(pending.command)).toBeUndefined();
});

test('a full queue names how many wait, and takes more once some have begun', () => {
  const queue = createCommitQueue({ ...limits, queueRows: 2 });
  const add = (aggregateId: string) => queue.add(pendingOf({ aggregateId }));
  add('a');
  add('b');
  const { command } = pendingOf({ aggregateId: 'c' });
  expect(queue.findRefusal(command)).toEqual({ kind: 'full', waitingRows: 2 });
  expect(queue.next(0)).toMatchObject({ kind: 'shared' });
  expect(queue.findRefusal({ ...command, bytes: limits.queueBytes })).toBeUndefined();
  expect(queue.findRefusal({ ...command, bytes: limits.queueBytes + 1 })).toMatchObject({
    kind: 'full',
  });
});

test('the queue throws when a batch ends twice or a row batch returns held commands', () => {
  const queue = createCommitQueue(limits);
  const pending = pendingOf({});
  queue.add(pending);
  const shared = queue.next(0) as Batch;
  queue.end(shared, [pending]);
  expect(() => queue.end(shared, [])).toThrow('not running');
  expect(() => queue.end(queue.next(0) as Batch, [pending])).toThrow('left it to others');
});
