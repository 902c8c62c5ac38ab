import type { Logger } from '@board/service-kit';
import type { Delivery } from '../delivery.ts';
import { describeDelivery } from './describe-delivery.ts';

/** Container runtimes cut lines at 16 KiB, and half a line is no JSON. */
const eventsPerLine = 50;

/** Logs many events in few lines: a line for each would cost the consumer a write for each. */
export function logDeliveries(
  logger: Logger,
  event: 'inbox.applied' | 'inbox.parked',
  deliveries: readonly Delivery[],
): void {
  for (let from = 0; from < deliveries.length; from += eventsPerLine)
    logger.info({ event, events: deliveries.slice(from, from + eventsPerLine).map(describeDelivery) });
}
