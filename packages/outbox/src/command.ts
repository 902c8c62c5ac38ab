import { UnavailableError } from '@board/service';
import type { EntityManager } from 'typeorm';

/*
 * The words of this package:
 *
 * aggregate  numbers its events, as a board does; its owner keeps one row of it, which the outbox
 *            never reads
 * command    a request to change one aggregate; decided under the lock of the aggregate's row
 * decision   the result of a command on the current aggregate: a change or a refusal
 * change     the next state of the aggregate and its event: written together or not at all
 * outcome    what became of a command
 * key        the name that a client gave its request: a repeat with it gets the first answer
 *
 * State and Refusal are the owner's own types. Inside this package they are unknown: nothing here
 * may depend on them.
 */

/** A request to change one aggregate. */
export interface Command<State = unknown, Refusal = unknown> {
  readonly aggregateId: string;
  /**
   * Made on acceptance: when the answer to a COMMIT is lost, it shows whether the event was stored.
   */
  readonly eventId: string;
  /** `new`: the id was made for this command, so there is no row to lock. */
  readonly target: 'new' | 'existing';
  /** Rough size of what will be written; counts against the limits of a batch and of the queue. */
  readonly bytes: number;
  readonly key?: IdempotencyKey | undefined;
  /**
   * Pure, as it runs again when its transaction does; throws when the event breaks its contract.
   */
  readonly decide: (state: State | undefined) => Decision<State, Refusal>;
}

/** What a client named its request, and what the request was: 32 bytes of SHA-256 each. */
export interface IdempotencyKey {
  readonly hash: Buffer;
  readonly fingerprint: Buffer;
}

/** The result of a command on the aggregate as it is. */
export type Decision<State = unknown, Refusal = unknown> =
  | Change<State>
  /** Nothing is written, and the key stays free. */
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/** The next state of an aggregate and its event, written together or not at all. */
export interface Change<State = unknown> {
  readonly kind: 'change';
  /** The aggregate after the change. */
  readonly state: State;
  readonly event: OutboxEvent;
  /**
   * The answer to the client, and to every repeat with the same key; a command with a key must have
   * one.
   */
  readonly answer?: Buffer | undefined;
}

/** An event as an outbox row; the Event Router makes a Kafka record of it. */
export interface OutboxEvent {
  /** UUIDv7, the command's `eventId`; also distinguishes a copy of a record from another event. */
  readonly id: string;
  /** The topic's name. */
  readonly aggregateType: string;
  readonly aggregateId: string;
  /** The event's place among the events of its aggregate: 1, 2, 3, ... */
  readonly version: number;
  /** The record's key: events with the same one share a partition. */
  readonly partitionKey: string;
  readonly type: string;
  /** The record's value, in the registry's wire format. */
  readonly payload: Buffer;
  /** W3C trace context. */
  readonly traceparent: string | null;
  readonly occurredAt: Date;
}

/** What became of a command. */
export type Outcome<State = unknown, Refusal = unknown> =
  /** `answer` is what was kept with the key; undefined for a command without one. */
  | { readonly kind: 'committed'; readonly state: State; readonly answer: Buffer | undefined }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | KeyOutcome;

/** What became of a command whose key was used before. */
export type KeyOutcome =
  /** With the same fingerprint: the answer of then. */
  | { readonly kind: 'repeated'; readonly answer: Buffer }
  /** The first request with this key has no outcome yet, here or on another instance. */
  | { readonly kind: 'key-running' }
  /** With another fingerprint. */
  | { readonly kind: 'key-reused' };

/**
 * How the owner of an aggregate reads and writes its rows; every call happens inside the
 * transaction of the events.
 */
export interface AggregateRows<State = unknown> {
  /**
   * Locks the rows of these sorted ids and reads them; `leave` does not wait for those that another
   * transaction holds, and leaves them out.
   */
  readonly lock: (
    manager: EntityManager,
    ids: readonly string[],
    held: 'leave' | 'wait',
  ) => Promise<ReadonlyMap<string, State>>;
  /** Which of the ids have a row, locked or not. */
  readonly exist: (manager: EntityManager, ids: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly insert: (manager: EntityManager, states: readonly State[]) => Promise<void>;
  /** The rows are locked by this transaction. */
  readonly update: (manager: EntityManager, states: readonly State[]) => Promise<void>;
}

/** A command on its way through the group commit, whose caller waits for its outcome. */
export interface PendingCommand {
  readonly command: Command;
  /**
   * What its transactions wrote so far, without those that were rolled back for sure: one of them
   * may have been committed, although its answer was lost.
   */
  readonly attempts: Change[];
  /** Only the first answer or failure counts. */
  readonly answer: (outcome: Outcome) => void;
  readonly fail: (error: unknown) => void;
  /** Answered or failed; also when its time is over: then nothing of it may be written any more. */
  readonly isAnswered: () => boolean;
}

/**
 * A command and its outcome, which is an UnavailableError when nothing else has come within the
 * deadline.
 */
export function createPending(
  command: Command,
  deadlineMs: number,
): { readonly pending: PendingCommand; readonly outcome: Promise<Outcome> } {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  let isAnswered = false;
  const once = (act: () => void): void => {
    if (isAnswered) return;
    isAnswered = true;
    clearTimeout(timer);
    act();
  };
  const pending: PendingCommand = {
    command,
    attempts: [],
    answer: (outcome) => once(() => resolve(outcome)),
    fail: (error) => once(() => reject(addWhetherDone(error, pending.attempts))),
    isAnswered: () => isAnswered,
  };
  const late = `The database did not take the command within ${deadlineMs} ms.`;
  const timer = setTimeout(() => pending.fail(new UnavailableError(late)), deadlineMs);
  return { pending, outcome: promise };
}

/** Adds whether the command was done: a client must know if it may repeat it without its key. */
function addWhetherDone(error: unknown, attempts: readonly Change[]): unknown {
  if (!(error instanceof UnavailableError)) return error;
  const outcome =
    attempts.length > 0
      ? 'Whether the command was done cannot be told yet.'
      : 'So it was not done.';
  return new UnavailableError(`${error.message} ${outcome}`, { cause: error });
}
