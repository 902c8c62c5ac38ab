import type { Delivery } from '../delivery.ts';
import { traceparentOf } from '../record.ts';

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
