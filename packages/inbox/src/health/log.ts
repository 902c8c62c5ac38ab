import { headerNames } from '@board/contracts';
import type { Logger } from '@board/service-kit';
import type { Applied } from '../decide.ts';
import type { Inbox } from '../inbox.ts';
import { headerText, traceparentOf, type Delivery } from '../record.ts';

/** Container runtimes cut lines at 16 KiB, and half a line is no JSON. */
const eventsPerLine = 50;

/** A delivery as log lines name it: by these fields `npm run trace` finds it. */
export function describeDelivery({ identity, record, attempt, takenFrom }: Delivery): Record<string, unknown> {
  return {
    aggregateId: identity.aggregateId,
    version: identity.version,
    eventId: identity.eventId,
    attempt,
    takenFrom,
    partition: record.origin.partition,
    offset: record.origin.offset,
    traceparent: traceparentOf(record.headers),
  };
}

/** Logs many events in few lines: a line for each would cost the consumer a write for each. */
export function logDeliveries(
  logger: Logger,
  event: 'inbox.applied' | 'inbox.parked',
  deliveries: readonly Delivery[],
): void {
  for (let from = 0; from < deliveries.length; from += eventsPerLine)
    logger.info({ event, events: deliveries.slice(from, from + eventsPerLine).map(describeDelivery) });
}

/** Counts what a batch's transaction has committed, and logs its events: ids, never payloads. */
export function observeApplied({ metrics, logger, clock }: Inbox, result: Applied): void {
  const nowMs = clock.now();
  metrics.applied(
    result.applied.length,
    result.applied.flatMap((delivery) => sinceOccurred(delivery, nowMs)),
  );
  metrics.duplicates(result.duplicates.length);
  metrics.parked(result.parked.length);
  logDeliveries(logger, 'inbox.applied', result.applied);
  logDeliveries(logger, 'inbox.parked', result.parked);
  if (result.duplicates.length > 0) logger.debug({ event: 'inbox.duplicates', count: result.duplicates.length });
}

function sinceOccurred(delivery: Delivery, nowMs: number): number[] {
  const occurredAtMicros = Number(headerText(delivery.record.headers, headerNames.occurredAt));
  return Number.isFinite(occurredAtMicros) ? [nowMs - occurredAtMicros / 1_000] : [];
}
