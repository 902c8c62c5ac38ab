import { classifyDriverError } from '@board/mysql';
import { failpoint } from '@board/service';
import type { Applied } from '../decide.ts';
import {
  describeError,
  HandlerTimeoutError,
  InfrastructureError,
  UnfinishedDeploymentError,
} from '../errors.ts';
import { routeFailures } from '../fail/route-failures.ts';
import { observeApplied } from '../health/observe.ts';
import type { Inbox } from '../inbox.ts';
import type { Delivery } from '../record.ts';
import { applyBatch } from './apply-batch.ts';
import type { SchemaWait } from './schema-failures.ts';

/**
 * When it returns, each delivery is applied, a duplicate, parked, or acknowledged by a retry topic
 * or the DLQ, and its offset may be committed. Throws InfrastructureError when that is not possible
 * now, HandlerTimeoutError when several events together took too long, and any other error as it
 * is; safe to call again. Returns the aggregates whose next event may be parked.
 */
export async function processDeliveries(
  inbox: Inbox,
  deliveries: readonly Delivery[],
): Promise<readonly string[]> {
  if (deliveries.length === 0) return [];
  // Before the transaction: what the registry takes for an answer must not be waited for under
  // locks.
  await inbox.decoder.prepare(deliveries);
  let timedOut: ReadonlyMap<string, unknown> = new Map();
  for (;;) {
    try {
      const batch = inbox.schemaFailures.begin();
      const applied = await applyBatch(inbox, deliveries, timedOut);
      const { routable, wait } = inbox.schemaFailures.classify(batch, deliveries, applied);
      const drainable = await finish(inbox, routable);
      if (wait) throw waitingFor(wait);
      return drainable;
    } catch (error) {
      const late = lateEvent(error, deliveries.length === 1 || timedOut.size === 0);
      if (late === undefined) throw toFault(error);
      // Its connection is gone, and with it the transaction: all is done again, without it.
      timedOut = new Map([...timedOut, [late, error]]);
    }
  }
}

/**
 * The one event that was too late; undefined when it is another error, or not clear which event it
 * was.
 */
function lateEvent(error: unknown, mayBeGivenUp: boolean): string | undefined {
  return error instanceof HandlerTimeoutError && error.eventIds.length === 1 && mayBeGivenUp
    ? error.eventIds[0]
    : undefined;
}

/**
 * What no table knows stays as it is: whether it is the event or the inbox itself, the caller finds
 * out.
 */
function toFault(error: unknown): unknown {
  if (error instanceof HandlerTimeoutError || error instanceof InfrastructureError) return error;
  const known = classifyDriverError(error);
  return known === undefined ? error : new InfrastructureError(known.reason, { cause: error });
}

function waitingFor({ delivery, error, known, eventType }: SchemaWait): UnfinishedDeploymentError {
  return new UnfinishedDeploymentError(
    `${known.reason} (${eventType || 'an event without a type'}: ${describeError(error).message})`,
    delivery,
    error,
  );
}

/**
 * What follows the COMMIT: failures are published, then the parked rows that they came from are
 * deleted.
 */
async function finish(inbox: Inbox, result: Applied): Promise<readonly string[]> {
  inbox.breaker.observe(result);
  inbox.controls.add(result.applied.filter(({ kind }) => kind === 'event').length);
  // Here and not at the end: the time of the line is the time of the COMMIT, and publishing may
  // fail.
  observeApplied(inbox, result);
  await failpoint('after-commit');
  // Published before the offset is committed: a crash here makes a copy, never a loss.
  const unblocked = await routeFailures(inbox, result);
  await failpoint('after-publish');
  // Only now may the rows go: the retry topic or the DLQ has the records.
  const routed = [...result.failed, ...result.invalid]
    .map(({ delivery }) => delivery)
    .filter((delivery) => delivery.takenFrom === 'parked');
  if (routed.length > 0) await inbox.store.transaction(({ parked }) => parked.remove(routed));
  return [...new Set([...result.drainable, ...unblocked])];
}
