import { headerNames } from '@board/contracts';
import { readHeaders, writeHeaders } from '@board/kafka-kit';
import { probeAggregateId } from '../decide/identity.ts';
import type { DecodedEvent, Handler } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import { settleSource } from './settle-source.ts';

const doNothing: Handler<DecodedEvent> = { afterDeadLetter: 'block', handle: () => Promise.resolve() };

/**
 * Processes a record of the inbox's own as any record of the source, from its headers to COMMIT; only the handler is left out.
 * It moves the mark of an aggregate that no event may have. Throws what the processing throws.
 */
export async function settleProbe<E extends DecodedEvent>(inbox: Inbox<E>): Promise<void> {
  const { consumer, dataSource, decoder, now } = inbox;
  const [mark]: readonly { version: number }[] = await dataSource.query(
    'SELECT version FROM mark WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ?',
    [consumer.group, consumer.aggregateType, probeAggregateId],
  );
  const version = (mark?.version ?? 0) + 1;
  const { eventType, value } = decoder.sample();
  const { bytes } = writeHeaders([
    // Two that try at once have one event, not a conflict.
    [headerNames.eventId, `probe-${version}`],
    [headerNames.eventType, eventType],
    [headerNames.aggregateId, probeAggregateId],
    [headerNames.version, String(version)],
  ]);
  const origin = { topic: 'inbox-probe', partition: 0, offset: '0', timestampMs: now() };
  const probe = { origin, key: null, value, headers: readHeaders(bytes) };
  await settleSource({ ...inbox, handler: doNothing }, [probe], null);
}
