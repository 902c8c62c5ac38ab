import type { Database } from '@board/database-kit';
import { UnavailableError } from '@board/service-kit';
import type { AggregateRows } from './aggregate-rows.ts';
import type { Command, Outcome } from './command.ts';
import { defaultCommitLimits, type CommitLimits } from './commit-limits.ts';
import { ignoreMetrics, type CommitMetrics } from './commit-metrics.ts';
import { createMember } from './create-member.ts';
import type { Member } from './member.ts';
import { pauseBeforeNext, type RunningBatches } from './pause-before-next.ts';
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
  /** The transactions that run, the oldest first. */
  const batches = new Set<{ readonly commands: number; readonly beganAt: number }>();
  let nextStart: NodeJS.Timeout | undefined;
  /** Each: commands for one row, which somebody else holds. */
  const held: (readonly Member<State, Refusal>[])[] = [];
  let heldWaits = 0;
  let waitingRows = 0;
  let waitingBytes = 0;
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
    clearTimeout(nextStart);
    while (queue.length > 0) {
      const pauseMs = pauseBeforeNext(describeBatches(), queue.length, limits);
      if (pauseMs > 0) {
        if (Number.isFinite(pauseMs)) nextStart = setTimeout(startBatches, pauseMs);
        break;
      }
      const { batch, rest } = takeBatch(queue, (id) => running.has(id), limits);
      queue = rest;
      if (batch.length === 0) break;
      void run(batch);
    }
    while (heldWaits < limits.heldWaits && held.length > 0) void waitForRow(held.shift() ?? []);
    const waiting = [...queue, ...held.flat()];
    waitingRows = waiting.length;
    waitingBytes = waiting.reduce((sum, { command }) => sum + command.bytes, 0);
    metrics.observeQueue(waitingRows, waitingBytes);
    if (isIdle()) idle.resolve();
  }

  function describeBatches(): RunningBatches {
    const [oldest] = batches;
    return {
      transactions: batches.size,
      commands: [...batches].reduce((sum, { commands }) => sum + commands, 0),
      sinceMs: oldest === undefined ? 0 : performance.now() - oldest.beganAt,
    };
  }

  function isIdle(): boolean {
    return batches.size === 0 && heldWaits === 0 && queue.length === 0;
  }

  async function run(batch: readonly Member<State, Refusal>[]): Promise<void> {
    const started = { commands: batch.length, beganAt: performance.now() };
    batches.add(started);
    for (const { command } of batch) running.set(command.aggregateId, (running.get(command.aggregateId) ?? 0) + 1);
    const observeEnd = metrics.observeBatch(batch.length);
    const groups = await settleBatch(database, rows, batch, 'skip');
    observeEnd();
    // They wait elsewhere: a row that is held for long would hold up everybody who comes later.
    held.push(...groups);
    const waiting = new Set(groups.flat());
    for (const member of batch) if (!waiting.has(member)) release(member.command);
    batches.delete(started);
    startBatches();
  }

  async function waitForRow(group: readonly Member<State, Refusal>[]): Promise<void> {
    heldWaits += 1;
    await settleBatch(database, rows, group, 'wait');
    for (const { command } of group) release(command);
    heldWaits -= 1;
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
      if (waitingRows >= limits.queueRows || waitingBytes + command.bytes > limits.queueBytes) {
        metrics.countRefused();
        throw new UnavailableError(`${waitingRows} commands are waiting already; this one was not done.`);
      }
      if (hash !== undefined && command.key) keys.set(hash, command.key.fingerprint);
      if (isIdle()) idle = Promise.withResolvers();
      const { member, outcome } = createMember(command, limits.deadlineMs);
      queue.push(member);
      waitingRows += 1;
      waitingBytes += command.bytes;
      startSoon();
      return await outcome;
    },
    drain: () => idle.promise,
  };
}
