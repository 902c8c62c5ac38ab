import type { Database } from '@board/database-kit';
import { UnavailableError } from '@board/service-kit';
import type { AggregateRows } from './aggregate-rows.ts';
import type { Command, Outcome } from './command.ts';
import { defaultCommitLimits, type CommitLimits } from './commit-limits.ts';
import { ignoreMetrics, type CommitMetrics } from './commit-metrics.ts';
import type { Member } from './member.ts';
import { settleBatch } from './settle-batch.ts';
import { takeBatch } from './take-batch.ts';

export interface GroupCommit<State, Refusal> {
  /** Resolves after COMMIT; throws UnavailableError when the command was not done, or when nobody can tell whether it was. */
  commit(command: Command<State, Refusal>): Promise<Outcome<State, Refusal>>;
  /** Resolves when nothing is waiting or running. */
  drain(): Promise<void>;
}

export interface GroupCommitOptions<State> {
  readonly database: Database;
  readonly rows: AggregateRows<State>;
  readonly limits?: Partial<CommitLimits>;
  readonly metrics?: CommitMetrics;
}

/**
 * Commits commands together: those that arrive while transactions run share the next one. A lone command waits for nobody.
 * Commands of one aggregate keep their order.
 */
export function createGroupCommit<State, Refusal>({
  database,
  rows,
  limits: given,
  metrics = ignoreMetrics,
}: GroupCommitOptions<State>): GroupCommit<State, Refusal> {
  const limits: CommitLimits = { ...defaultCommitLimits, ...given };
  let queue: Member<State, Refusal>[] = [];
  let queueBytes = 0;
  let transactions = 0;
  let startIsDue = false;
  const running = new Map<string, number>();
  const keys = new Map<string, Buffer>();
  let idle = Promise.withResolvers<void>();
  idle.resolve();

  /** At the end of this turn of the event loop: what arrived in the same turn goes together. */
  function startSoon(): void {
    if (startIsDue) return;
    startIsDue = true;
    setImmediate(() => {
      startIsDue = false;
      startBatches();
    });
  }

  function startBatches(): void {
    while (transactions < limits.transactions && queue.length > 0) {
      const { batch, rest } = takeBatch(queue, (id) => running.has(id), limits);
      queue = rest;
      queueBytes = rest.reduce((sum, { command }) => sum + command.bytes, 0);
      if (batch.length === 0) break;
      void run(batch);
    }
    metrics.observeQueue(queue.length, queueBytes);
    if (transactions === 0 && queue.length === 0) idle.resolve();
  }

  async function run(batch: readonly Member<State, Refusal>[]): Promise<void> {
    transactions += 1;
    for (const { command } of batch) running.set(command.aggregateId, (running.get(command.aggregateId) ?? 0) + 1);
    const observeEnd = metrics.observeBatch(batch.length);
    await settleBatch(database, rows, batch);
    observeEnd();
    for (const { command } of batch) release(command);
    transactions -= 1;
    startBatches();
  }

  function release({ aggregateId, key }: Command<State, Refusal>): void {
    const others = (running.get(aggregateId) ?? 1) - 1;
    if (others === 0) running.delete(aggregateId);
    else running.set(aggregateId, others);
    if (key) keys.delete(key.hash.toString('hex'));
  }

  return {
    async commit(command) {
      const hash = command.key?.hash.toString('hex');
      const first = hash === undefined ? undefined : keys.get(hash);
      if (first && command.key) return { kind: first.equals(command.key.fingerprint) ? 'key-running' : 'key-reused' };
      if (queue.length >= limits.queueRows || queueBytes + command.bytes > limits.queueBytes) {
        metrics.countRefused();
        throw new UnavailableError(`${queue.length} commands are waiting already; this one was not done.`);
      }
      if (hash !== undefined && command.key) keys.set(hash, command.key.fingerprint);
      if (transactions === 0 && queue.length === 0) idle = Promise.withResolvers();
      const { member, outcome } = createMember(command, limits.deadlineMs);
      queue.push(member);
      queueBytes += command.bytes;
      startSoon();
      return await outcome;
    },
    drain: () => idle.promise,
  };
}

function createMember<State, Refusal>(command: Command<State, Refusal>, deadlineMs: number) {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome<State, Refusal>>();
  let isSettled = false;
  const settleOnce = (act: () => void): void => {
    if (isSettled) return;
    isSettled = true;
    clearTimeout(timer);
    act();
  };
  const member: Member<State, Refusal> = {
    command,
    attempts: [],
    settle: (outcome) => settleOnce(() => resolve(outcome)),
    fail: (error) => settleOnce(() => reject(error)),
    isSettled: () => isSettled,
  };
  const timer = setTimeout(() => member.fail(tooLate(deadlineMs, member.attempts.length > 0)), deadlineMs);
  return { member, outcome: promise };
}

function tooLate(deadlineMs: number, isTried: boolean): UnavailableError {
  const end = isTried ? 'nobody can tell yet whether it was done' : 'it was not done';
  return new UnavailableError(`The database did not take the command within ${deadlineMs} ms; ${end}.`);
}
