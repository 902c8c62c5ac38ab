import type { EntityManager } from 'typeorm';
import type { Mark } from '../decide.ts';
import type {
  DeadLetterReason,
  Delivery,
  Identity,
  LastFailure,
  ParkedDelivery,
} from '../record.ts';
import type { SchemaMemory } from './schema-memory.ts';

/** The consumer that marks belong to: its group, and the kind of aggregate in its source topic. */
export interface ConsumerKey {
  readonly group: string;
  readonly aggregateType: string;
}

/**
 * What one consumer keeps in its own database. There are two: MySQL for processes, memory for
 * simulations; one conformance suite holds both to what stands here.
 */
export interface InboxStore {
  readonly consumer: ConsumerKey;
  /**
   * Commits what `work` did when it resolves, and undoes it when it throws. Runs `work` again from
   * its beginning when the database undid the transaction because of a deadlock or a lock wait.
   */
  transaction<Result>(work: (tx: StoreTransaction) => Promise<Result>): Promise<Result>;
  readonly schemas: SchemaMemory;
  /**
   * A fault of the database in one line for an operator, with the address that the error itself
   * does not name.
   */
  describeFault(error: unknown): string;
}

/**
 * The tables within one transaction. Everything but `marks.lock` may be called in any order; call
 * that first.
 */
export interface StoreTransaction {
  readonly marks: Marks;
  readonly parked: ParkedEvents;
  readonly skips: Skips;
  readonly deadLetters: DeadLetterIndex;
  readonly breaker: BreakerState;
  readonly positions: ReadPositions;
  readonly effects: Effects;
}

/** The part of the transaction that handlers write into. */
export interface Effects {
  readonly manager: EntityManager;
  setSavepoint(): Promise<void>;
  /**
   * Fails when a handler has ended the transaction: then its effects are not in it, and neither may
   * the marks be.
   */
  releaseSavepoint(): Promise<void>;
  rollBackToSavepoint(): Promise<void>;
  /**
   * Ends the transaction and its connection, so that a handler that still runs can never write into
   * another transaction.
   */
  destroyConnection(): void;
}

export interface Marks {
  /**
   * Locks the mark of each aggregate until the transaction ends, at version 0 where there was none.
   */
  lock(aggregateIds: Iterable<string>): Promise<ReadonlyMap<string, Mark>>;
  /** Writes marks whose locks this transaction holds. */
  move(moved: ReadonlyMap<string, Mark>): Promise<void>;
  /** Without a lock; undefined where there is none. */
  find(aggregateId: string): Promise<Mark | undefined>;
}

export interface ParkedEvents {
  /**
   * Keeps deliveries until their predecessor is applied; twice is harmless. A copy of a parked
   * event makes its row a new one for `remove`, keeps the higher attempt and, when it is a replay,
   * its kind. Returns those whose place another event has.
   */
  add(deliveries: readonly Delivery[]): Promise<readonly Delivery[]>;
  /**
   * Of the aggregates whose marks have moved: which have rows that the marks have passed, and which
   * have rows behind them.
   */
  compare(
    moved: ReadonlyMap<string, Mark>,
  ): Promise<{ readonly passed: readonly string[]; readonly waiting: readonly string[] }>;
  /**
   * Parked deliveries that claim the place of one of these events, now applied, and are another
   * event.
   */
  findConflicts(applied: readonly Identity[]): Promise<readonly ParkedDelivery[]>;
  /**
   * Deletes what the marks of these aggregates have passed. Each transaction that moves a mark must
   * call it.
   */
  deletePassed(moved: ReadonlyMap<string, Mark>, aggregateIds: readonly string[]): Promise<void>;
  /** What follows an aggregate's mark without a gap, at most `limit`. */
  next(aggregateId: string, limit: number): Promise<readonly ParkedDelivery[]>;
  find(aggregateId: string, version: number): Promise<ParkedDelivery | undefined>;
  /**
   * Deletes rows that live on elsewhere, in a retry topic or the DLQ, unless they were parked again
   * since they were read: the copy that was may be the one from there, and its offset is committed
   * because the row is here.
   */
  remove(parked: readonly ParkedDelivery[]): Promise<void>;
  /**
   * The lowest parked version of some aggregates behind `after`, by id, each with its mark; none at
   * the end.
   */
  lowest(after: string): Promise<readonly LowestParked[]>;
  size(): Promise<ParkedSize>;
}

interface LowestParked {
  readonly aggregateId: string;
  readonly version: number;
  /** Undefined before the aggregate has one. */
  readonly mark: number | undefined;
}

export interface ParkedSize {
  readonly rows: number;
  readonly bytes: number;
  readonly oldestAgeMs: number;
}

export interface Skip {
  readonly identity: Identity;
  readonly decidedBy: 'policy' | 'hand';
  readonly reason: string;
}

/** Versions that were passed over without their effect. */
export interface Skips {
  /** A repeated skip keeps its first row. */
  record(skips: readonly Skip[]): Promise<void>;
  /**
   * Those of these events that the policy passed over, so that a replay may still apply them; a
   * skip by hand is final. Only under the locks of their marks is the answer still true when it is
   * used.
   */
  findReopened(identities: readonly Identity[]): Promise<readonly Identity[]>;
  /**
   * Events that were skipped and that no mark has passed: a rebuild took the marks away. Only a
   * rebuild adds to them.
   */
  findAhead(): Promise<readonly Identity[]>;
  /** For skips whose event was applied after all. */
  forget(identities: readonly Identity[]): Promise<void>;
}

/** A dead letter and where the DLQ keeps it. */
export interface StoredDeadLetter {
  readonly failure: LastFailure;
  /** Undefined when the record has none; its origin names it then. */
  readonly identity: Identity | undefined;
  readonly dlqOffset: bigint;
}

/** A place in the list of open dead letters, which is by the time of the last failure. */
export interface DeadLetterPlace {
  readonly failedAt: number;
  readonly id: string;
}

/** Before every open dead letter. */
export const firstPlace: DeadLetterPlace = { failedAt: -1, id: '' };

/** What is in the DLQ, as the database knows it. */
export interface DeadLetterIndex {
  /**
   * Remembers what the DLQ has acknowledged; a copy renews its dead letter, and opens it again
   * unless it was dismissed.
   */
  record(deadLetters: readonly StoredDeadLetter[]): Promise<void>;
  /**
   * Closes, of one page of the open dead letters, those whose version the mark has passed; one that
   * the `skip` policy passed over stays open while it is the mark, because until then a replay can
   * still apply it. Returns where to go on, undefined at the end.
   */
  closePage(after: DeadLetterPlace): Promise<DeadLetterPlace | undefined>;
  /** The same for one dead letter, or for those of one aggregate. */
  closeOf(which: { readonly id: string } | { readonly aggregateId: string }): Promise<void>;
  countOpen(): Promise<ReadonlyMap<DeadLetterReason, number>>;
}

/** The circuit breaker's state, shared by all instances; every time is the database's own. */
export interface BreakerState {
  /** Milliseconds since the epoch; undefined while it is closed. */
  openedAt(): Promise<number | undefined>;
  /**
   * Opens it for every instance, the first probe after `probeAfterMs`; the first to open it sets
   * the times.
   */
  open(probeAfterMs: number): Promise<void>;
  close(): Promise<void>;
  /**
   * Gives the next probe to one caller among all instances, and the one after it not before
   * `everyMs` have passed.
   */
  claimProbe(everyMs: number): Promise<boolean>;
  /** Lets the next probe be claimed at once: the last one proved nothing. */
  returnProbe(): Promise<void>;
  /**
   * Dead letters of the last `windowMs` that blame the handler or the inbox rather than the event.
   */
  countDeadLetters(windowMs: number): Promise<number>;
}

/** One partition as the consumer remembers it. */
export interface ReadPosition {
  readonly topic: string;
  readonly partition: number;
  /** The offset of the record after the last one processed. */
  readonly next: bigint;
  /** The offset that the partition's next record would get. */
  readonly end: bigint;
  /** The highest timestamp of any record processed, milliseconds since the epoch. */
  readonly newestMs: number;
}

/** Records that were gone before they were read; both ends included. */
export interface MissingRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
  readonly reason: string;
}

export interface OpenMissing {
  readonly count: number;
  /** Of the oldest few, each as an operator reads it. */
  readonly reasons: readonly string[];
}

/**
 * How far each partition was read and what it held, so that a topic that lost records is noticed;
 * and what was lost.
 */
export interface ReadPositions {
  read(): Promise<readonly ReadPosition[]>;
  store(positions: readonly ReadPosition[]): Promise<void>;
  /** Safe to call again with the same range; a range that an audit has cleared is open again. */
  recordMissing(missing: MissingRange): Promise<void>;
  openMissing(): Promise<OpenMissing>;
  /**
   * Reasons of the topic's missing ranges, whether an audit has cleared them or not, the oldest
   * first.
   */
  everMissing(topic: string): Promise<readonly string[]>;
  /**
   * Lets the group begin again: what it has read of the topic so far says nothing of what it will
   * read.
   */
  forget(
    starts: readonly { readonly topic: string; readonly partition: number; readonly low: bigint }[],
  ): Promise<void>;
}
