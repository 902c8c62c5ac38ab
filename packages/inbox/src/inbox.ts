import type { Alarms, Logger } from '@board/service';
import type { SchemaFailures } from './apply/schema-failures.ts';
import type { InboxClock } from './clock.ts';
import type { CircuitBreaker } from './fail/circuit-breaker.ts';
import type { Publisher } from './fail/publisher.ts';
import type { Handler } from './handler.ts';
import type { InboxMetrics } from './health/observe.ts';
import type { Decoder } from './schemas/decoder.ts';
import type { InboxSettings } from './settings.ts';
import type { InboxStore } from './store/store.ts';

/** Everything that the stages need; made once per process. */
export interface Inbox {
  /**
   * What an operator's command needs to be about this consumer, with a space before it; empty for
   * the first consumer.
   */
  readonly consumerFlag: string;
  readonly store: InboxStore;
  readonly publisher: Publisher;
  readonly decoder: Decoder;
  readonly handler: Handler;
  readonly breaker: CircuitBreaker;
  readonly schemaFailures: SchemaFailures;
  readonly controls: Controls;
  /** By aggregate: one drain at a time within this process. */
  readonly drains: KeyedMutex;
  /** Events to pass over in their turn, because they were skipped before a rebuild. */
  readonly skippedAhead: ReadonlySet<string>;
  /** First delivery + retries. */
  readonly maxAttempts: number;
  readonly settings: InboxSettings;
  readonly clock: InboxClock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: InboxMetrics;
  readonly alarms: Alarms;
}

/**
 * Counts the events that went from header decoding to COMMIT: while it grows, the inbox itself
 * works.
 */
export interface Controls {
  count(): number;
  add(events: number): void;
}

export function countControls(): Controls {
  let count = 0;
  return {
    count: () => count,
    add: (events) => void (count += events),
  };
}

/**
 * Runs work one at a time for each key, within this process: other instances are kept out by the
 * locks in the database.
 */
export interface KeyedMutex {
  /**
   * Runs work once everything that was asked for under the same key before is done; passes its
   * result or failure on.
   */
  run<Result>(key: string, work: () => Promise<Result>): Promise<Result>;
}

export function createKeyedMutex(): KeyedMutex {
  const last = new Map<string, Promise<unknown>>();
  return {
    run(key, work) {
      const before = last.get(key) ?? Promise.resolve();
      // A failed predecessor must not fail its successors.
      const result = before.then(work, work);
      last.set(key, result);
      const forget = (): void => {
        if (last.get(key) === result) last.delete(key);
      };
      result.then(forget, forget);
      return result;
    },
  };
}
