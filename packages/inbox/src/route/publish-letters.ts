import type { Consumer } from '../consumer.ts';
import { recordDeadLetters, type StoredLetter } from '../database/dead-letters.ts';
import { inTransaction } from '../database/transaction.ts';
import type { Identity } from '../decide/identity.ts';
import type { Rejected } from '../decide/plan.ts';
import type { Delivery } from '../delivery.ts';
import { InfrastructureError, InvalidEventError } from '../errors.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import { traceparentOf } from '../record.ts';
import { describeError } from './describe-error.ts';
import type { Published, RoutePublisher } from './publish.ts';
import { toBare, toDeadLetter, type DeadLetterReason, type LastFailure } from './to-dead-letter.ts';

export interface Letter {
  readonly failure: LastFailure;
  readonly identity: Identity | undefined;
}

/**
 * Puts records into the DLQ, bare where it refuses the record itself, then into its index; both are done when it resolves.
 * Throws InfrastructureError.
 */
export async function publishLetters<E extends DecodedEvent>(
  inbox: Inbox<E>,
  letters: readonly Letter[],
): Promise<void> {
  if (letters.length === 0) return;
  const { consumer, dataSource, logger, metrics } = inbox;
  const nowMs = inbox.now();
  // After the acknowledgement: an index entry without its record would be a dead letter that cannot be replayed.
  const stored = await publishToDlq(inbox.publisher, consumer, letters, nowMs);
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
      bare: failure.bare !== undefined,
      traceparent: traceparentOf(failure.record.headers),
      error: describeError(failure.error).message,
    });
  }
}

/** Puts records into the DLQ; one that it refuses becomes a bare dead letter. Throws InfrastructureError. */
export async function publishToDlq(
  publisher: RoutePublisher,
  { group }: Consumer,
  letters: readonly Letter[],
  nowMs: number,
): Promise<StoredLetter[]> {
  const send = (some: readonly Letter[]): Promise<readonly Published[]> =>
    publisher.publish(some.map(({ failure }) => toDeadLetter(group, failure, nowMs)));
  const stored = new Map<Letter, StoredLetter>();
  const refused: Letter[] = [];
  const published = await send(letters);
  for (const [index, letter] of letters.entries()) {
    const outcome = published[index];
    if (outcome?.kind === 'stored') stored.set(letter, { ...letter, dlqOffset: outcome.offset });
    else refused.push(letter);
  }
  const bare = refused.map((letter): Letter => ({ ...letter, failure: toBare(letter.failure) }));
  for (const [index, outcome] of (await send(bare)).entries()) {
    const [letter, bareLetter] = [refused[index], bare[index]];
    if (letter === undefined || bareLetter === undefined) continue;
    if (outcome.kind === 'refused')
      throw new InfrastructureError(`the DLQ of ${group} refuses even a dead letter without its record`, {
        cause: outcome.error,
      });
    stored.set(letter, { ...bareLetter, dlqOffset: outcome.offset });
  }
  return letters.flatMap((letter) => stored.get(letter) ?? []);
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
  return { identity, failure: { record, reason, error, attempts: attempt, firstFailedAtMs, bare: undefined } };
}
