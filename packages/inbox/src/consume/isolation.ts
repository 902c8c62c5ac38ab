import { createBackoff } from '../clock.ts';
import { describeError } from '../errors.ts';

/** What to do after records failed with an error that no table knows. */
type Step =
  /** A fault that passes by itself: nothing is decided yet. */
  | { readonly kind: 'read-again'; readonly waitMs: number; readonly leftMs: number }
  /** Only so many of the first records at once, until one fails alone. */
  | { readonly kind: 'halve' }
  /** It fails alone; whether it is the record or everything, only another record can tell. */
  | { readonly kind: 'seek-control' }
  /** It failed alone once more after another record was processed. */
  | { readonly kind: 'dead-letter' };

interface UnknownFailure {
  readonly error: unknown;
  /** How many records failed together. */
  readonly records: number;
  /** Of the first of them. */
  readonly offset: string;
  /** Records that went all the way to COMMIT so far, in this process. */
  readonly controls: number;
}

/** The search of one partition for the record that fails. */
export interface Isolation {
  /** How many records may be processed at once; undefined when there is no limit. */
  size(): number | undefined;
  failed(failure: UnknownFailure): Step;
  succeeded(): void;
}

/** More errors than this at once are not told apart: each would cost its time again. */
const maxErrors = 100;

/** Records at once up to which the size grows back step by step. */
const fullSize = 1_024;

/**
 * Finds the one record that cannot be processed, and blames it only when others can: neither may one record stop a partition,
 * nor a fault of ours dead-letter everything. The time for reading again is spent once per error, not once per record.
 */
export function createIsolation(rereadForMs: number, maxWaitMs: number): Isolation {
  const rereadMs = new Map<string, number>();
  let backoff = createBackoff(maxWaitMs);
  let size: number | undefined;
  let suspect: { readonly offset: string; readonly controls: number } | undefined;

  return {
    size: () => size,
    failed({ error, records, offset, controls }) {
      const kind = kindOf(error);
      const spentMs = rereadMs.get(kind) ?? (rereadMs.size < maxErrors ? 0 : rereadForMs);
      if (spentMs < rereadForMs) {
        const waitMs = Math.min(backoff.next(), rereadForMs - spentMs);
        rereadMs.set(kind, spentMs + waitMs);
        return { kind: 'read-again', waitMs, leftMs: rereadForMs - spentMs - waitMs };
      }
      if (records > 1) {
        size = Math.ceil(records / 2);
        return { kind: 'halve' };
      }
      if (suspect?.offset !== offset) suspect = { offset, controls };
      return controls > suspect.controls ? { kind: 'dead-letter' } : { kind: 'seek-control' };
    },
    succeeded() {
      backoff = createBackoff(maxWaitMs);
      suspect = undefined;
      if (size !== undefined) size = size * 2 < fullSize ? size * 2 : undefined;
    },
  };
}

/** Class and message without numbers: offsets, ids and times do not make another error of it. */
function kindOf(error: unknown): string {
  const { errorClass, message } = describeError(error);
  return `${errorClass}: ${message.replaceAll(/\d+/g, '#')}`;
}
