import { headerNames } from '@board/contracts';
import type { Delivery } from '../delivery.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import { headerText } from '../record.ts';
import type { Applied } from './applied.ts';

/** Counts a settled batch, and logs each event applied: ids, never payloads. */
export function observe<E extends DecodedEvent>(inbox: Inbox<E>, result: Applied): void {
  const nowMs = inbox.now();
  inbox.metrics.applied(
    result.applied.length,
    result.applied.flatMap((delivery) => sinceOccurred(delivery, nowMs)),
  );
  inbox.metrics.duplicates(result.duplicates.length);
  inbox.metrics.parked(result.parked.length);
  for (const delivery of result.applied) inbox.logger.info({ event: 'inbox.applied', ...describe(delivery) });
  for (const delivery of result.parked) inbox.logger.debug({ event: 'inbox.parked', ...describe(delivery) });
  if (result.duplicates.length > 0) inbox.logger.debug({ event: 'inbox.duplicates', count: result.duplicates.length });
}

export function describe(delivery: Delivery): Record<string, unknown> {
  const { identity, record, attempt, takenFrom } = delivery;
  return {
    aggregateId: identity.aggregateId,
    version: identity.version,
    eventId: identity.eventId,
    attempt,
    takenFrom,
    topic: record.origin.topic,
    partition: record.origin.partition,
    offset: record.origin.offset,
    traceparent: headerText(record.headers, headerNames.traceparent),
  };
}

function sinceOccurred(delivery: Delivery, nowMs: number): number[] {
  const occurredAtMicros = Number(headerText(delivery.record.headers, headerNames.occurredAt));
  return Number.isFinite(occurredAtMicros) ? [nowMs - occurredAtMicros / 1_000] : [];
}
