import { headerNames } from '@board/contracts';
import type { Delivery } from '../delivery.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import { headerText } from '../record.ts';
import type { Applied } from './applied.ts';
import { logDeliveries } from './log-deliveries.ts';

/** Counts what a batch's transaction settled, and logs its events: ids, never payloads. */
export function observe<E extends DecodedEvent>(inbox: Inbox<E>, result: Applied): void {
  const nowMs = inbox.now();
  inbox.metrics.applied(
    result.applied.length,
    result.applied.flatMap((delivery) => sinceOccurred(delivery, nowMs)),
  );
  inbox.metrics.duplicates(result.duplicates.length);
  inbox.metrics.parked(result.parked.length);
  logDeliveries(inbox.logger, 'inbox.applied', result.applied);
  logDeliveries(inbox.logger, 'inbox.parked', result.parked);
  if (result.duplicates.length > 0) inbox.logger.debug({ event: 'inbox.duplicates', count: result.duplicates.length });
}

function sinceOccurred(delivery: Delivery, nowMs: number): number[] {
  const occurredAtMicros = Number(headerText(delivery.record.headers, headerNames.occurredAt));
  return Number.isFinite(occurredAtMicros) ? [nowMs - occurredAtMicros / 1_000] : [];
}
