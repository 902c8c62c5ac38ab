import type { Applied } from '../apply/applied.ts';
import { describeDelivery } from '../apply/describe-delivery.ts';
import { skipPast } from '../apply/skip-past.ts';
import type { Rejected } from '../decide/plan.ts';
import { InvalidEventError } from '../errors.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import { describeError } from './describe-error.ts';
import { publishConflicts, publishLetters, toLetter } from './publish-letters.ts';
import { toRetry, toSameTier } from './to-retry.ts';

/**
 * Publishes what a batch could not apply: to the next retry topic, or to the DLQ when it can never succeed or its attempts are spent.
 * Returns the aggregates that the `skip` policy set free.
 */
export async function routeFailures<E extends DecodedEvent>(
  inbox: Inbox<E>,
  result: Applied,
): Promise<readonly string[]> {
  const { consumer, settings, guard, publisher, metrics, logger } = inbox;
  const invalid = [...result.invalid, ...result.failed.filter(isInvalid)];
  const failed = result.failed.filter((one) => !isInvalid(one));
  const retries = failed.flatMap((rejected) => {
    const record = toRetry(consumer.group, settings, rejected.delivery, rejected.error, inbox.now(), Math.random);
    return record ? [{ rejected, record }] : [];
  });
  const retried = new Set(retries.map(({ rejected }) => rejected));
  const spent = failed.filter((one) => !retried.has(one));

  // Before anything is published: while most events fail, none of them may die.
  const mayDie = (await guard.admit(spent.length)) === 'dead-letter';
  const dead = mayDie ? spent : [];
  const spared = mayDie ? [] : spent;
  const postponed = spared.map(({ delivery, error }) =>
    toSameTier(consumer.group, settings, delivery, error, inbox.now(), Math.random),
  );
  const published = await publisher.publish([...retries.map(({ record }) => record), ...postponed]);
  // What the retry topics can never hold, the DLQ keeps, without the record if need be.
  const refused = [...retries.map(({ rejected }) => rejected), ...spared].filter(
    (_, index) => published[index]?.kind === 'refused',
  );
  for (const { rejected } of retries.filter((one) => !refused.includes(one.rejected))) {
    metrics.retried(rejected.delivery.attempt);
    const { delivery, error } = rejected;
    logger.warn({
      event: 'inbox.retry',
      ...describeDelivery(delivery),
      tier: delivery.attempt,
      error: describeError(error).message,
    });
  }
  for (const { delivery, error } of spared.filter((one) => !refused.includes(one)))
    logger.warn({
      event: 'inbox.postponed',
      ...describeDelivery(delivery),
      error: describeError(error).message,
    });
  await publishLetters(inbox, [
    ...invalid.map((one) => toLetter(one, 'invalid-event')),
    ...dead.map((one) => toLetter(one, 'attempts-exhausted')),
    ...refused.map((one) => toLetter(one, 'unprocessable')),
  ]);
  await publishConflicts(inbox, result.conflicts);

  if (inbox.handler.afterDeadLetter !== 'skip') return [];
  // After the letter is safe in the DLQ: a version that is passed over without a letter would be a loss.
  return skipPast(
    inbox,
    [...invalid, ...dead].map(({ delivery }) => delivery),
  );
}

function isInvalid({ error }: Rejected): boolean {
  return error instanceof InvalidEventError;
}
