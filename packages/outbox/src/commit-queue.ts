import assert from 'node:assert/strict';
import type { Command, PendingCommand } from './command.ts';
import type { CommitLimits } from './commit-limits.ts';

/** Commands that go into one transaction; ended with `end`. */
export interface Batch {
  /**
   * `row`: all of them change one row, which another process holds; their transaction waits for it.
   */
  readonly kind: 'shared' | 'row';
  readonly members: readonly PendingCommand[];
  /** The time given to `next`. */
  readonly beganAtMs: number;
}

/**
 * What can be done now: begin a transaction, or ask again after `pauseMs`; Infinity: when a command
 * comes or a batch ends.
 */
type NextStep = Batch | { readonly kind: 'pause'; readonly pauseMs: number };

/** Why a command is not taken. */
type QueueRefusal =
  | { readonly kind: 'full'; readonly waitingRows: number }
  /** A command with the same key waits or runs. */
  | { readonly kind: 'key-running' | 'key-reused' };

/**
 * What waits and what runs, and which of it may begin: state only. It waits for nothing and reads
 * no clock.
 */
export interface CommitQueue {
  /** Undefined: it may be added. */
  findRefusal(command: Command): QueueRefusal | undefined;
  add(pending: PendingCommand): void;
  /** The caller must begin the batch that it is given. */
  next(nowMs: number): NextStep;
  /**
   * The batch is over but for its members whose row is held: they come again, a `row` at a time.
   */
  end(batch: Batch, held: readonly PendingCommand[]): void;
  /** Of what waits, behind held rows too. */
  load(): { readonly rows: number; readonly bytes: number };
  /** Nothing waits, nothing runs. */
  isIdle(): boolean;
}

/**
 * Commands of one aggregate keep their order: while one of them runs, or waits for its held row,
 * the others wait. A row that is held for long so delays its own commands and no others.
 */
export function createCommitQueue(limits: CommitLimits): CommitQueue {
  let waiting: PendingCommand[] = [];
  /** Each: commands for one row, which another process holds. */
  const heldRows: (readonly PendingCommand[])[] = [];
  let rows = 0;
  let bytes = 0;
  /** The oldest first. */
  const sharedBatches = new Set<Batch>();
  let rowBatches = 0;
  /** How many commands of an aggregate run or wait for its held row. */
  const running = new Map<string, number>();
  /** Fingerprint by key, of all commands that wait or run. */
  const keys = new Map<string, Buffer>();

  /** Moves commands into what waits (1), or out of it (-1). */
  function count(members: readonly PendingCommand[], sign: 1 | -1): void {
    rows += sign * members.length;
    for (const { command } of members) bytes += sign * command.bytes;
  }

  function takeShared(beganAtMs: number): Batch | undefined {
    const { batch: members, rest } = takeBatch(waiting, (id) => running.has(id), limits);
    if (members.length === 0) return undefined;
    waiting = rest;
    count(members, -1);
    for (const { command } of members)
      running.set(command.aggregateId, (running.get(command.aggregateId) ?? 0) + 1);
    const batch: Batch = { kind: 'shared', members, beganAtMs };
    sharedBatches.add(batch);
    return batch;
  }

  function takeRow(beganAtMs: number): Batch | undefined {
    const members = rowBatches < limits.heldWaits ? heldRows.shift() : undefined;
    if (!members) return undefined;
    count(members, -1);
    rowBatches += 1;
    return { kind: 'row', members, beganAtMs };
  }

  function describeRunning(nowMs: number): RunningBatches {
    const [oldest] = sharedBatches;
    return {
      transactions: sharedBatches.size,
      commands: [...sharedBatches].reduce((sum, { members }) => sum + members.length, 0),
      sinceMs: oldest === undefined ? 0 : nowMs - oldest.beganAtMs,
    };
  }

  function release({ aggregateId, key }: Command): void {
    const count = running.get(aggregateId);
    assert(count, `a command of ${aggregateId} has ended, and none was running`);
    if (count === 1) running.delete(aggregateId);
    else running.set(aggregateId, count - 1);
    if (key) keys.delete(key.hash.toString('hex'));
  }

  return {
    findRefusal({ key, bytes: more }) {
      const fingerprint = key && keys.get(key.hash.toString('hex'));
      if (fingerprint && key)
        return { kind: fingerprint.equals(key.fingerprint) ? 'key-running' : 'key-reused' };
      const isFull = rows >= limits.queueRows || bytes + more > limits.queueBytes;
      return isFull ? { kind: 'full', waitingRows: rows } : undefined;
    },
    add(pending) {
      const { key } = pending.command;
      if (key) keys.set(key.hash.toString('hex'), key.fingerprint);
      waiting.push(pending);
      count([pending], 1);
    },
    next(nowMs) {
      const isEmpty = waiting.length === 0;
      const pauseMs = isEmpty
        ? Number.POSITIVE_INFINITY
        : pauseBeforeNext(describeRunning(nowMs), waiting.length, limits);
      const shared = pauseMs === 0 ? takeShared(nowMs) : undefined;
      // Without a shared one although nothing holds it up: the aggregates of all that wait are
      // running.
      return (
        shared ??
        takeRow(nowMs) ?? {
          kind: 'pause',
          pauseMs: pauseMs === 0 ? Number.POSITIVE_INFINITY : pauseMs,
        }
      );
    },
    end(batch, held) {
      if (batch.kind === 'row') rowBatches -= 1;
      else assert(sharedBatches.delete(batch), 'a batch has ended that was not running');
      assert(
        batch.kind === 'shared' || held.length === 0,
        'a command that waited for its row has left it to others',
      );
      // They wait elsewhere: a row that is held for long would hold up every command that comes
      // later.
      heldRows.push(...Map.groupBy(held, ({ command }) => command.aggregateId).values());
      count(held, 1);
      const waits = new Set(held);
      for (const member of batch.members) if (!waits.has(member)) release(member.command);
    },
    load: () => ({ rows, bytes }),
    isIdle: () =>
      waiting.length === 0 && heldRows.length === 0 && sharedBatches.size === 0 && rowBatches === 0,
  };
}

interface RunningBatches {
  readonly transactions: number;
  /** In all of them together. */
  readonly commands: number;
  /** Since the oldest of them began. */
  readonly sinceMs: number;
}

/**
 * Milliseconds that waiting commands let others join them before their transaction begins;
 * Infinity: until one ends.
 *
 * Two small transactions at once cost two COMMITs where one would do, so the next one begins when
 * as many wait as run; or after `patienceMs`, because a transaction that is slow must not hold up
 * all commands behind it.
 */
export function pauseBeforeNext(
  { transactions, commands, sinceMs }: RunningBatches,
  waiting: number,
  {
    transactions: most,
    batchRows,
    patienceMs,
  }: Pick<CommitLimits, 'transactions' | 'batchRows' | 'patienceMs'>,
): number {
  if (transactions === 0) return 0;
  if (transactions >= most) return Number.POSITIVE_INFINITY;
  if (waiting >= commands || waiting >= batchRows) return 0;
  return Math.max(0, patienceMs - sinceMs);
}

/**
 * The next batch off the queue, without the commands of an aggregate that is running: they stay, in
 * their order.
 */
function takeBatch(
  queue: readonly PendingCommand[],
  isRunning: (aggregateId: string) => boolean,
  limits: Pick<CommitLimits, 'batchRows' | 'batchBytes'>,
): { readonly batch: PendingCommand[]; readonly rest: PendingCommand[] } {
  const batch: PendingCommand[] = [];
  const rest: PendingCommand[] = [];
  let bytes = 0;
  let isFull = false;
  for (const pending of queue) {
    const { command } = pending;
    isFull ||=
      batch.length > 0 &&
      (batch.length >= limits.batchRows || bytes + command.bytes > limits.batchBytes);
    if (isFull || isRunning(command.aggregateId)) {
      rest.push(pending);
    } else {
      batch.push(pending);
      bytes += command.bytes;
    }
  }
  return { batch, rest };
}
