import { createHash } from 'node:crypto';
import { classifyDriverError } from '@board/database-kit';
import { writeHeaders } from '@board/kafka-kit';
import type { Delivery } from '../delivery.ts';
import { HandlerTimeoutError, InfrastructureError, UnfinishedDeploymentError } from '../errors.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import type { SourceRecord } from '../record.ts';
import { describeError } from '../route/describe-error.ts';
import { describeFault } from '../route/describe-fault.ts';
import { publishLetters, type Letter } from '../route/publish-letters.ts';
import { toBare } from '../route/to-dead-letter.ts';
import { createBackoff, type Backoff } from './backoff.ts';
import { createIsolation, type Isolation } from './isolation.ts';
import type { Undecodable, Verdict } from './partition-loop.ts';
import { settleProbe } from './settle-probe.ts';

export interface Boundary {
  readonly settle: (records: readonly SourceRecord[]) => Promise<Verdict>;
  /** `following`: the records after it that were fetched with it. */
  readonly settleUndecodable: (batch: Undecodable, following: readonly SourceRecord[]) => Promise<Verdict>;
  /** Forgets partitions that are another instance's now, and their alarms. */
  keepOnly(owns: (topic: string, partition: number) => boolean): void;
}

export interface BoundaryParts {
  readonly settle: (records: readonly SourceRecord[]) => Promise<Verdict>;
  /** The delivery that a record of this consumer's topics carries; undefined when it has no identity. */
  readonly deliveryOf: (record: SourceRecord) => Delivery | undefined;
}

interface Partition {
  readonly topic: string;
  readonly partition: number;
  readonly isolation: Isolation;
  /** While it waits. */
  backoff: Backoff | undefined;
}

/** The pause before a step of the search: it has to be declared, or the watchdog would count it. */
const stepMs = 100;
const maxControls = 8;

/**
 * The boundary around the processing of records, which nothing escapes. What fails here is not an event's own failure (those
 * were routed before): a known fault of a server makes the partition wait, longer each time, and read the same records again;
 * after an unknown error the one record that cannot be processed is looked for, and dead-lettered only if others can.
 */
export function createBoundary<E extends DecodedEvent>(
  inbox: Inbox<E>,
  { settle, deliveryOf }: BoundaryParts,
): Boundary {
  const { alarms, logger, metrics, settings } = inbox;
  const partitions = new Map<string, Partition>();
  const alarmOf = ({ topic, partition }: Pick<Partition, 'topic' | 'partition'>): string =>
    `waiting ${topic}/${partition}`;

  function partitionOf(topic: string, number: number): Partition {
    const key = `${topic}/${number}`;
    const known = partitions.get(key);
    if (known !== undefined) return known;
    const isolation = createIsolation(settings.rereadForMs, settings.maxWaitMs);
    const made: Partition = { topic, partition: number, isolation, backoff: undefined };
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
  ): Verdict {
    const { topic, partition } = at;
    at.backoff ??= createBackoff(settings.maxWaitMs);
    const ms = waitMs ?? at.backoff.next();
    const { errorClass, message } = describeError(error);
    const text = kind === 'unknown' ? `${errorClass}: ${message}` : describeFault(inbox, error);
    alarms.raise(alarmOf(at), `partition ${topic}/${partition} waits: ${text}${why}`);
    metrics.waiting(kind);
    logger.warn({
      event: 'inbox.waiting',
      topic,
      partition,
      waitMs: ms,
      kind,
      failures: at.backoff.failures(),
      err: error,
    });
    return { settled: 0, waitMs: ms };
  }

  async function failed(at: Partition, error: unknown, suspect: Suspect): Promise<Verdict> {
    if (error instanceof HandlerTimeoutError) {
      logger.warn({ event: 'inbox.too-slow', topic: at.topic, partition: at.partition, records: suspect.records });
      return { settled: 0, tooSlow: true };
    }
    if (isInfrastructure(error)) {
      // Of a batch that waits for one event, what stands before it is settled; what follows is read again.
      const settled = error instanceof UnfinishedDeploymentError ? error.settled : 0;
      return { ...wait(at, error, 'infrastructure', ''), settled };
    }
    const { offset, records } = suspect;
    const step = at.isolation.failed({ error, records, offset, controls: inbox.controls.count() });
    switch (step.kind) {
      case 'read-again':
        return wait(at, error, 'unknown', ` (read again for ${Math.ceil(step.leftMs / 1_000)} s more)`, step.waitMs);
      case 'halve':
        return wait(at, error, 'unknown', ' (the record that causes it is looked for)', stepMs);
      case 'seek-control':
        return (await findControl(suspect.following))
          ? wait(at, error, 'unknown', ` (offset ${offset} fails alone)`, stepMs)
          : wait(at, error, 'unknown', ' (other records fail too, so none is dead-lettered for it)');
      case 'dead-letter':
        return deadLetter(at, error, suspect);
    }
  }

  /** True once another record was processed to its COMMIT; the inbox's own record is tried where too few others wait. */
  async function findControl(following: readonly SourceRecord[]): Promise<boolean> {
    const before = inbox.controls.count();
    // What has no identity never gets as far as a handler.
    const candidates = following.filter((record) => readDelivery(record, deliveryOf) !== undefined);
    let othersFail = false;
    for (const record of pick(candidates, maxControls)) {
      try {
        // Ahead of its turn in the partition, which is harmless: the mark of its aggregate decides.
        await settle([record]);
      } catch (error) {
        if (isInfrastructure(error)) return false;
        othersFail = true;
      }
      if (inbox.controls.count() > before) return true;
    }
    if (othersFail && candidates.length > maxControls) return false;
    try {
      await settleProbe(inbox);
    } catch (error) {
      logger.warn({ event: 'inbox.probe-failed', err: error });
    }
    return inbox.controls.count() > before;
  }

  async function deadLetter(at: Partition, error: unknown, { offset, following, toLetter }: Suspect): Promise<Verdict> {
    const { topic, partition } = at;
    try {
      const letter = toLetter(error);
      // With an identity it counts for the circuit breaker, which may hold it back.
      if (letter.identity !== undefined) {
        inbox.guard.failed(letter.identity.aggregateId);
        if ((await inbox.guard.admit(1)) !== 'dead-letter')
          throw new InfrastructureError('the circuit breaker is open');
      }
      logger.error({ event: 'inbox.unprocessable', topic, partition, offset, err: error });
      try {
        await publishLetters(inbox, [letter]);
      } catch (refused) {
        if (isInfrastructure(refused)) throw refused;
        // It cannot even be sent as it is.
        await publishLetters(inbox, [{ ...letter, failure: toBare(letter.failure) }]);
      }
    } catch (failure) {
      // Only another record that succeeds closes the circuit breaker, and it may be behind this one.
      if (inbox.guard.isOpen()) await findControl(following);
      return wait(at, failure, 'infrastructure', ` (offset ${offset} cannot be dead-lettered)`);
    }
    at.isolation.succeeded();
    resumed(at);
    return { settled: 1 };
  }

  return {
    async settle(records) {
      const { topic = '', partition = 0, offset = '' } = records[0]?.origin ?? {};
      const at = partitionOf(topic, partition);
      const part = records.slice(0, at.isolation.size() ?? records.length);
      try {
        const verdict = await settle(part);
        if (verdict.settled > 0) at.isolation.succeeded();
        resumed(at);
        return verdict;
      } catch (error) {
        return failed(at, error, {
          offset,
          records: part.length,
          following: records.slice(1),
          toLetter: (cause) => toUnprocessable(part[0] as SourceRecord, deliveryOf, cause),
        });
      }
    },
    settleUndecodable(batch, following) {
      const at = partitionOf(batch.topic, batch.partition);
      return failed(at, batch.error, {
        offset: batch.lastOffset,
        records: 1,
        following,
        toLetter: () => toUndecodable(batch),
      });
    },
    keepOnly(owns) {
      for (const [key, at] of partitions)
        if (!owns(at.topic, at.partition)) {
          partitions.delete(key);
          alarms.clear(alarmOf(at));
        }
    },
  };
}

interface Suspect {
  readonly offset: string;
  readonly records: number;
  readonly following: readonly SourceRecord[];
  readonly toLetter: (error: unknown) => Letter;
}

function isInfrastructure(error: unknown): boolean {
  return error instanceof InfrastructureError || classifyDriverError(error) !== undefined;
}

/** The next one, then ever farther ones: neighbours may fail for the same reason. */
function pick<Item>(items: readonly Item[], most: number): Item[] {
  if (items.length <= most) return [...items];
  const picked = Array.from({ length: most }, (_, step) => items[Math.min(items.length, 2 ** step) - 1]);
  return picked.filter((item) => item !== undefined);
}

function toUnprocessable(record: SourceRecord, deliveryOf: BoundaryParts['deliveryOf'], error: unknown): Letter {
  const delivery = readDelivery(record, deliveryOf);
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

/** Reading it may be what fails. */
function readDelivery(record: SourceRecord, deliveryOf: BoundaryParts['deliveryOf']): Delivery | undefined {
  try {
    return deliveryOf(record);
  } catch {
    return undefined;
  }
}

function toUndecodable({ topic, partition, firstOffset, lastOffset, timestampMs, bytes, error }: Undecodable): Letter {
  const origin = { topic, partition, offset: firstOffset, timestampMs };
  const digest = createHash('sha256').update(bytes).digest('hex');
  return {
    identity: undefined,
    failure: {
      record: { origin, key: null, value: null, headers: writeHeaders([]) },
      reason: 'unprocessable',
      error,
      attempts: 1,
      firstFailedAtMs: undefined,
      bare: { lastOffset, bytes: bytes.length, digest },
    },
  };
}
