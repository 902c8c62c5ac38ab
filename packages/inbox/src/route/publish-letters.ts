import { recordDeadLetters } from '../database/dead-letters.ts';
import { inTransaction } from '../database/transaction.ts';
import type { Identity } from '../decide/identity.ts';
import type { Rejected } from '../decide/plan.ts';
import type { Delivery } from '../delivery.ts';
import { InvalidEventError } from '../errors.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import { traceparentOf } from '../record.ts';
import { describeError } from './describe-error.ts';
import { toDeadLetter, type DeadLetterReason, type LastFailure } from './to-dead-letter.ts';

export interface Letter {
  readonly failure: LastFailure;
  readonly identity: Identity | undefined;
}

/** Puts records into the DLQ, then into its index; both are done when it resolves. Throws InfrastructureError. */
export async function publishLetters<E extends DecodedEvent>(
  inbox: Inbox<E>,
  letters: readonly Letter[],
): Promise<void> {
  if (letters.length === 0) return;
  const { consumer, publisher, dataSource, logger, metrics } = inbox;
  const nowMs = inbox.now();
  const offsets = await publisher.publish(letters.map(({ failure }) => toDeadLetter(consumer.group, failure, nowMs)));
  // After the acknowledgement: an index entry without its record would be a letter that nobody can replay.
  const stored = letters.map((letter, index) => ({ ...letter, dlqOffset: offsets[index] ?? -1n }));
  await inTransaction(dataSource, metrics.rerun, ({ tx }) => recordDeadLetters(tx, consumer, stored, nowMs));
  for (const { failure, identity, dlqOffset } of stored) {
    metrics.deadLettered(failure.reason);
    const { topic, partition, offset } = failure.record.origin;
    logger.error({
      event: 'inbox.dead-letter',
      reason: failure.reason,
      ...identity,
      topic,
      partition,
      offset,
      attempts: failure.attempts,
      dlqOffset: String(dlqOffset),
      traceparent: traceparentOf(failure.record.headers),
      error: describeError(failure.error).message,
    });
  }
}

const conflict = new InvalidEventError('another event holds this version of the aggregate');

/** The same for deliveries whose place another event has. */
export async function publishConflicts<E extends DecodedEvent>(
  inbox: Inbox<E>,
  deliveries: readonly Delivery[],
): Promise<void> {
  await publishLetters(
    inbox,
    deliveries.map((delivery) => toLetter({ delivery, error: conflict }, 'conflict')),
  );
}

export function toLetter({ delivery, error }: Rejected, reason: DeadLetterReason): Letter {
  const { record, attempt, firstFailedAtMs, identity } = delivery;
  return { identity, failure: { record, reason, error, attempts: attempt, firstFailedAtMs } };
}
