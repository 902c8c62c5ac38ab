import { createBackoff, type Backoff, must } from '@board/service';
import { createHash } from 'node:crypto';
import { classifyDriverError } from '@board/mysql';
import { writeHeaders } from '@board/kafka';
import {
  describeError,
  HandlerTimeoutError,
  InfrastructureError,
  UnfinishedDeploymentError,
} from '../errors.ts';
import { toBare } from '../fail/record-formats.ts';
import { publishDeadLetters, type DeadLetter } from '../fail/dead-letters.ts';
import type { Inbox } from '../inbox.ts';
import type { Delivery, SourceRecord } from '../record.ts';
import { createIsolation, findControl, type Isolation } from './isolate.ts';
import type { Process, ProcessResult, Slice, UndecodableSlice } from './process.ts';

/** The delivery that a record of these topics carries; undefined when it has no identity. */
export type ReadDelivery = (record: SourceRecord) => Delivery | undefined;

export interface PauseOnError {
  /** Never throws. */
  readonly process: Process;
  /**
   * To be called whenever the group has assigned its partitions: forgets those of another instance,
   * and every alarm. A partition that still waits raises its own again; one that was lost for a
   * moment may have been processed by another instance meanwhile.
   */
  reassigned(owns: (topic: string, partition: number) => boolean): void;
}

interface Partition {
  readonly topic: string;
  readonly partition: number;
  readonly isolation: Isolation;
  /** While it waits. */
  backoff: Backoff | undefined;
}

/** Records behind the one that fails, whether or not they are processed with it. */
type Following = readonly SourceRecord[];

const firstWaitMs = 100;

/** The pause before a step of the search: it has to be declared, or the watchdog would count it. */
const stepMs = 100;

/**
 * The boundary around the processing of records, which nothing escapes. What fails here is not an
 * event's own failure (those were routed before): a known fault of a server makes the partition
 * wait, longer each time, and read the same records again; after an unknown error the one record
 * that cannot be processed is looked for, and dead-lettered only if others can.
 */
export function pauseOnError(
  inbox: Inbox,
  readDelivery: ReadDelivery,
  process: Process,
): PauseOnError {
  const { store, alarms, logger, metrics, settings } = inbox;
  const partitions = new Map<string, Partition>();
  const alarmOf = ({ topic, partition }: Pick<Partition, 'topic' | 'partition'>): string =>
    `waiting ${topic}/${partition}`;

  /** Reading it may be what fails. */
  function safelyRead(record: SourceRecord): Delivery | undefined {
    try {
      return readDelivery(record);
    } catch {
      return undefined;
    }
  }

  function partitionOf({ topic, partition }: Slice): Partition {
    const key = `${topic}/${partition}`;
    const known = partitions.get(key);
    if (known !== undefined) return known;
    const isolation = createIsolation(settings.rereadForMs, settings.maxWaitMs, inbox.random);
    const made: Partition = { topic, partition, isolation, backoff: undefined };
    partitions.set(key, made);
    return made;
  }

  function resumed(at: Partition): void {
    if (at.backoff === undefined) return;
    at.backoff = undefined;
    alarms.clear(alarmOf(at));
    logger.info({ event: 'inbox.resumed', topic: at.topic, partition: at.partition });
  }

  function wait(
    at: Partition,
    error: unknown,
    kind: 'infrastructure' | 'unknown',
    why: string,
    waitMs?: number,
  ): ProcessResult {
    const { topic, partition } = at;
    at.backoff ??= createBackoff(
      { firstMs: firstWaitMs, maxMs: settings.maxWaitMs, jitter: 0.2 },
      inbox.random,
    );
    const ms = waitMs ?? at.backoff.next();
    const { errorClass, message } = describeError(error);
    const text = kind === 'unknown' ? `${errorClass}: ${message}` : store.describeFault(error);
    alarms.raise(alarmOf(at), `partition ${topic}/${partition} waits: ${text}${why}`);
    metrics.waiting(kind);
    const failures = at.backoff.failures();
    logger.warn({
      event: 'inbox.waiting',
      topic,
      partition,
      waitMs: ms,
      kind,
      failures,
      err: error,
    });
    return { kind: 'wait', processed: 0, waitMs: ms };
  }

  async function failed(
    at: Partition,
    slice: Slice,
    following: Following,
    error: unknown,
  ): Promise<ProcessResult> {
    const { topic, partition } = at;
    const [records, offset] =
      slice.kind === 'records'
        ? [slice.records.length, firstOf(slice.records).origin.offset]
        : [1, slice.lastOffset];
    if (error instanceof HandlerTimeoutError) {
      logger.warn({ event: 'inbox.too-slow', topic, partition, records });
      return { kind: 'too-slow', processed: 0 };
    }
    if (isInfrastructure(error)) {
      // Of records that wait for one event, what precedes it is processed; what follows is read
      // again.
      const processed = error instanceof UnfinishedDeploymentError ? error.processed : 0;
      return { ...wait(at, error, 'infrastructure', ''), processed };
    }
    const step = at.isolation.failed({ error, records, offset, controls: inbox.controls.count() });
    switch (step.kind) {
      case 'read-again':
        return wait(
          at,
          error,
          'unknown',
          ` (read again for ${Math.ceil(step.leftMs / 1_000)} s more)`,
          step.waitMs,
        );
      case 'halve':
        return wait(at, error, 'unknown', ' (the record that causes it is looked for)', stepMs);
      case 'seek-control':
        return (await hasControl(following))
          ? wait(at, error, 'unknown', ` (offset ${offset} fails alone)`, stepMs)
          : wait(
              at,
              error,
              'unknown',
              ' (other records fail too, so none is dead-lettered for it)',
            );
      case 'dead-letter':
        return deadLetter(at, slice, following, error, offset);
    }
  }

  function hasControl(following: Following): Promise<boolean> {
    const hasIdentity = (record: SourceRecord): boolean => safelyRead(record) !== undefined;
    return findControl({ inbox, process, following, isInfrastructure, hasIdentity });
  }

  async function deadLetter(
    at: Partition,
    slice: Slice,
    following: Following,
    error: unknown,
    offset: string,
  ): Promise<ProcessResult> {
    const { topic, partition } = at;
    try {
      const unprocessable =
        slice.kind === 'records' ? ofRecord(firstOf(slice.records), error) : ofUndecodable(slice);
      const { identity, failure } = unprocessable;
      // With an identity it counts for the circuit breaker, which may hold it back.
      if (identity !== undefined) {
        inbox.breaker.failed(identity.aggregateId);
        if ((await inbox.breaker.admit(1)) !== 'dead-letter')
          throw new InfrastructureError('the circuit breaker is open');
      }
      logger.error({ event: 'inbox.unprocessable', topic, partition, offset, err: error });
      try {
        await publishDeadLetters(inbox, [unprocessable]);
      } catch (refused) {
        if (isInfrastructure(refused)) throw refused;
        // It cannot even be sent as it is.
        await publishDeadLetters(inbox, [{ identity, failure: toBare(failure) }]);
      }
    } catch (failure) {
      // Only another record that succeeds closes the circuit breaker, and it may be behind this
      // one.
      if (inbox.breaker.isOpen()) await hasControl(following);
      return wait(at, failure, 'infrastructure', ` (offset ${offset} cannot be dead-lettered)`);
    }
    at.isolation.succeeded();
    resumed(at);
    return { kind: 'done', processed: 1 };
  }

  function ofRecord(record: SourceRecord, error: unknown): DeadLetter {
    const delivery = safelyRead(record);
    return {
      identity: delivery?.identity,
      failure: {
        record: delivery?.record ?? record,
        reason: 'unprocessable',
        error,
        attempts: delivery?.attempt ?? 1,
        firstFailedAtMs: delivery?.firstFailedAtMs,
        bare: undefined,
      },
    };
  }

  return {
    async process(slice) {
      const at = partitionOf(slice);
      const part =
        slice.kind === 'records'
          ? { ...slice, records: slice.records.slice(0, at.isolation.size()) }
          : slice;
      try {
        const result = await process(part);
        if (result.processed > 0) at.isolation.succeeded();
        resumed(at);
        return result;
      } catch (error) {
        return failed(
          at,
          part,
          slice.kind === 'records' ? slice.records.slice(1) : slice.following,
          error,
        );
      }
    },
    reassigned(owns) {
      for (const [key, at] of partitions) {
        at.backoff = undefined;
        alarms.clear(alarmOf(at));
        if (!owns(at.topic, at.partition)) partitions.delete(key);
      }
    },
  };
}

function isInfrastructure(error: unknown): boolean {
  return error instanceof InfrastructureError || classifyDriverError(error) !== undefined;
}

function firstOf(records: readonly SourceRecord[]): SourceRecord {
  return must(records[0], 'record in the slice');
}

/** A batch of records that cannot be read is kept by what identifies it. */
function ofUndecodable(slice: UndecodableSlice): DeadLetter {
  const { topic, partition, firstOffset, lastOffset, timestampMs, bytes, error } = slice;
  const digest = createHash('sha256').update(bytes).digest('hex');
  return {
    identity: undefined,
    failure: {
      record: {
        origin: { topic, partition, offset: firstOffset, timestampMs },
        key: null,
        value: null,
        headers: writeHeaders([]),
      },
      reason: 'unprocessable',
      error,
      attempts: 1,
      firstFailedAtMs: undefined,
      bare: { lastOffset, bytes: bytes.length, digest },
    },
  };
}
