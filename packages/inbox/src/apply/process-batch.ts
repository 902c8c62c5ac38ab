import { classifyDriverError } from '@board/database-kit';
import { failpoint } from '@board/service-kit';
import { unpark } from '../database/parked.ts';
import { inTransaction } from '../database/transaction.ts';
import type { Delivery } from '../delivery.ts';
import { HandlerTimeoutError, InfrastructureError, UnfinishedDeploymentError } from '../errors.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import { routeFailures } from '../route/route-failures.ts';
import { applyBatch } from './apply-batch.ts';
import type { Applied } from './applied.ts';
import { observe } from './observe.ts';
import type { SchemaWait } from './schema-failures.ts';
import { describeError } from '../route/describe-error.ts';

/**
 * Settles deliveries: when it returns, each is applied, a duplicate, parked, or acknowledged by a retry topic or the DLQ,
 * and its offset may be committed. Throws InfrastructureError when that is not possible now, HandlerTimeoutError when several events
 * together took too long, and any other error as it is; safe to call again.
 * Returns the aggregates whose next event may be parked.
 */
export async function processBatch<E extends DecodedEvent>(
  inbox: Inbox<E>,
  deliveries: readonly Delivery[],
): Promise<readonly string[]> {
  await inbox.decoder.prepare(deliveries);
  let knownFailures: ReadonlyMap<string, unknown> = new Map();
  for (;;) {
    try {
      const batch = inbox.schemaFailures.begin();
      const applied = await applyBatch(inbox, deliveries, knownFailures);
      const { routable, wait } = inbox.schemaFailures.judge(batch, deliveries, applied);
      const drainable = await settle(inbox, routable);
      if (wait) throw waitingFor(wait);
      return drainable;
    } catch (error) {
      if (error instanceof HandlerTimeoutError) {
        const [eventId] = error.eventIds;
        // Nobody knows because of which event, or it is not the only one: the caller comes again with fewer.
        const alone = error.eventIds.length === 1 && (knownFailures.size === 0 || deliveries.length === 1);
        if (!alone || eventId === undefined) throw error;
        knownFailures = new Map([...knownFailures, [eventId, error]]);
        continue;
      }
      if (error instanceof InfrastructureError) throw error;
      const known = classifyDriverError(error);
      if (known !== undefined) throw new InfrastructureError(known.reason, { cause: error });
      // In no table: whether it is the event or the inbox itself, the boundary finds out.
      throw error;
    }
  }
}

function waitingFor({ delivery, error, known, eventType }: SchemaWait): UnfinishedDeploymentError {
  return new UnfinishedDeploymentError(
    `${known.reason} (${eventType || 'an event without a type'}: ${describeError(error).message})`,
    delivery,
    error,
  );
}

async function settle<E extends DecodedEvent>(inbox: Inbox<E>, result: Applied): Promise<readonly string[]> {
  inbox.guard.observe(result);
  inbox.controls.add(result.applied.filter(({ kind }) => kind === 'event').length);
  // Here and not at the end: the time of the line is the time of the COMMIT, and publishing may fail.
  observe(inbox, result);
  await failpoint('after-commit');
  // Published before the offset is committed: a crash here makes a copy, never a loss.
  const unblocked = await routeFailures(inbox, result);
  await failpoint('after-publish');
  // Only now may the rows go: the retry topic or the DLQ has the records.
  const routed = [...result.failed, ...result.invalid]
    .map((one) => one.delivery)
    .filter((one) => one.takenFrom === 'parked');
  if (routed.length > 0)
    await inTransaction(inbox.dataSource, inbox.metrics.rerun, ({ tx }) => unpark(tx, inbox.consumer, routed));
  return [...new Set([...result.drainable, ...unblocked])];
}
