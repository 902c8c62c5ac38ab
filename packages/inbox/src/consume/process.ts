import type { SourceRecord } from '../record.ts';

interface Place {
  readonly topic: string;
  readonly partition: number;
}

/** Consecutive records of one partition, at least one. */
interface RecordSlice extends Place {
  readonly kind: 'records';
  readonly records: readonly SourceRecord[];
}

/** Consecutive records that could not be decoded. */
export interface UndecodableSlice extends Place {
  readonly kind: 'undecodable';
  readonly firstOffset: string;
  readonly lastOffset: string;
  readonly timestampMs: number;
  /** As the brokers keep them. */
  readonly bytes: Buffer;
  readonly error: unknown;
  /** The records after it that were fetched with it. */
  readonly following: readonly SourceRecord[];
}

export type Slice = RecordSlice | UndecodableSlice;

/**
 * What became of a slice. `processed`: so many of the first records are processed, and their
 * offsets may be committed.
 */
export type ProcessResult =
  /** What is left of the slice, if anything, is fetched again at once. */
  | { readonly kind: 'done'; readonly processed: number }
  /** The partition is paused for this long before the rest is read again. */
  | { readonly kind: 'wait'; readonly processed: number; readonly waitMs: number }
  /**
   * The records took too long together: the rest is processed in smaller slices, whose offsets are
   * committed one by one.
   */
  | { readonly kind: 'too-slow'; readonly processed: number };

/**
 * Processes a slice: each record is then in the database, or acknowledged by a retry topic or the
 * DLQ. The one shape of everything between the partition loop and the handler; what surrounds
 * another one takes it as an argument.
 */
export type Process = (slice: Slice) => Promise<ProcessResult>;

const askAgainMs = 1_000;

/**
 * While the circuit breaker is open the partition waits, but for the one record whose turn it is to
 * be tried.
 */
export function holdWhileOpen(breaker: Breaker, process: Process): Process {
  return (slice) => {
    if (!breaker.isOpen() || slice.kind === 'undecodable') return process(slice);
    return probe(breaker, slice, process);
  };
}

/** As much of the circuit breaker as this needs. */
interface Breaker {
  isOpen(): boolean;
  probe<Result>(attempt: () => Promise<Result>): Promise<Result | undefined>;
}

async function probe(
  breaker: Breaker,
  slice: RecordSlice,
  process: Process,
): Promise<ProcessResult> {
  const one = { ...slice, records: slice.records.slice(0, 1) };
  return (await breaker.probe(() => process(one))) ?? waitFor(askAgainMs);
}

/** Takes nothing new while more is parked than the settings allow: only a repair makes room. */
export function pauseWhenFull(isFull: () => boolean, waitMs: number, process: Process): Process {
  return (slice) =>
    isFull() && slice.kind === 'records' ? Promise.resolve(waitFor(waitMs)) : process(slice);
}

function waitFor(waitMs: number): ProcessResult {
  return { kind: 'wait', processed: 0, waitMs };
}
