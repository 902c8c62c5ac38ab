import { createBackoff, type Backoff } from '@board/service';
import { headerNames } from '@board/contracts';
import { readHeaders, writeHeaders } from '@board/kafka';
import { selfTestAggregateId } from '../decide.ts';
import { describeError } from '../errors.ts';
import type { Handler } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import type { SourceRecord } from '../record.ts';
import { processReadings, readSource } from './process-source.ts';
import type { Process } from './process.ts';

/** What to do after records failed with an error that no table knows. */
type Step =
  /** A fault that passes by itself: nothing is decided yet. */
  | { readonly kind: 'read-again'; readonly waitMs: number; readonly leftMs: number }
  /** Only so many of the first records at once, until one fails alone. */
  | { readonly kind: 'halve' }
  /** It fails alone; only another record can show whether the record or the inbox is at fault. */
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

/** More errors than this at once are not distinguished: each would cost its time again. */
const maxErrors = 100;

/** Records at once up to which the size grows back step by step. */
const fullSize = 1_024;

/**
 * Finds the one record that cannot be processed, and blames it only when others can be: one record
 * must not stop a partition, and a fault of the inbox must not dead-letter everything. The time for
 * reading again is spent once per error, not once per record.
 */
export function createIsolation(
  rereadForMs: number,
  maxWaitMs: number,
  random: () => number,
): Isolation {
  const rereadMs = new Map<string, number>();
  const startBackoff = (): Backoff =>
    createBackoff({ firstMs: 100, maxMs: maxWaitMs, jitter: 0.2 }, random);
  let backoff = startBackoff();
  let size: number | undefined;
  /** The record that failed alone, and the controls up to then. */
  let failedAlone: { readonly offset: string; readonly controls: number } | undefined;

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
      if (failedAlone?.offset !== offset) failedAlone = { offset, controls };
      return controls > failedAlone.controls ? { kind: 'dead-letter' } : { kind: 'seek-control' };
    },
    succeeded() {
      backoff = startBackoff();
      failedAlone = undefined;
      if (size !== undefined) size = size * 2 < fullSize ? size * 2 : undefined;
    },
  };
}

/** Class and message without numbers: offsets, ids and times do not make another error of it. */
function kindOf(error: unknown): string {
  const { errorClass, message } = describeError(error);
  return `${errorClass}: ${message.replaceAll(/\d+/g, '#')}`;
}

const maxTried = 8;

export interface ControlSearch {
  readonly inbox: Inbox;
  readonly process: Process;
  /** Records behind the one that fails. */
  readonly following: readonly SourceRecord[];
  readonly isInfrastructure: (error: unknown) => boolean;
  /** What has no identity never gets as far as a handler. */
  readonly hasIdentity: (record: SourceRecord) => boolean;
}

/**
 * Looks for proof that the inbox itself works: true once another record was processed to its
 * COMMIT. The inbox's own record, its self-test, is tried where too few others wait.
 */
export async function findControl(search: ControlSearch): Promise<boolean> {
  const { inbox, process, following, isInfrastructure, hasIdentity } = search;
  const before = inbox.controls.count();
  const candidates = following.filter(hasIdentity);
  let othersFail = false;
  for (const record of pick(candidates, maxTried)) {
    const { topic, partition } = record.origin;
    try {
      // Ahead of its turn in the partition, which is harmless: the mark of its aggregate decides.
      await process({ kind: 'records', topic, partition, records: [record] });
    } catch (error) {
      if (isInfrastructure(error)) return false;
      othersFail = true;
    }
    if (inbox.controls.count() > before) return true;
  }
  if (othersFail && candidates.length > maxTried) return false;
  try {
    await processSelfTest(inbox);
  } catch (error) {
    inbox.logger.warn({
      event: 'inbox.self-test-failed',
      // The former name, for one release.
      oldEvent: 'inbox.probe-failed',
      err: error,
    });
  }
  return inbox.controls.count() > before;
}

/** The next one, then ever farther ones: neighbours may fail for the same reason. */
function pick<Item>(items: readonly Item[], most: number): Item[] {
  if (items.length <= most) return [...items];
  const picked = Array.from(
    { length: most },
    (_, step) => items[Math.min(items.length, 2 ** step) - 1],
  );
  return picked.filter((item) => item !== undefined);
}

const doNothing: Handler = { afterDeadLetter: 'block', handle: () => Promise.resolve() };

/**
 * Processes a record of the inbox's own as any record of the source, from its headers to COMMIT;
 * only the handler is left out. It moves the mark of an aggregate that no event may have. Throws
 * what the processing throws.
 */
async function processSelfTest(inbox: Inbox): Promise<void> {
  const { store, decoder, clock } = inbox;
  const mark = await store.transaction(({ marks }) => marks.find(selfTestAggregateId));
  const version = (mark?.version ?? 0) + 1;
  const { eventType, value } = decoder.sample();
  const { bytes } = writeHeaders([
    // Two that try at once have one event, not a conflict.
    [headerNames.eventId, `probe-${version}`],
    [headerNames.eventType, eventType],
    [headerNames.aggregateId, selfTestAggregateId],
    [headerNames.version, String(version)],
  ]);
  const origin = { topic: 'inbox-probe', partition: 0, offset: '0', timestampMs: clock.now() };
  const record = { origin, key: null, value, headers: readHeaders(bytes) };
  await processReadings({ ...inbox, handler: doNothing }, [readSource(record, null)]);
}
