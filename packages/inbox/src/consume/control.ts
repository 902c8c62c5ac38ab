import { headerNames } from '@board/contracts';
import { readHeaders, writeHeaders } from '@board/kafka-kit';
import { probeAggregateId } from '../decide.ts';
import type { Handler } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import type { SourceRecord } from '../record.ts';
import { processReadings, readSource } from './process-source.ts';
import type { Process } from './process.ts';

const maxTried = 8;

export interface ControlSearch {
  readonly inbox: Inbox;
  readonly process: Process;
  /** Records behind the one that fails. */
  readonly following: readonly SourceRecord[];
  readonly isInfrastructure: (error: unknown) => boolean;
  /** What has no identity never gets as far as a handler. */
  readonly hasIdentity: (record: SourceRecord) => boolean;
}

/**
 * Looks for proof that the inbox itself works: true once another record was processed to its COMMIT. The inbox's own record
 * is tried where too few others wait.
 */
export async function findControl(search: ControlSearch): Promise<boolean> {
  const { inbox, process, following, isInfrastructure, hasIdentity } = search;
  const before = inbox.controls.count();
  const candidates = following.filter(hasIdentity);
  let othersFail = false;
  for (const record of pick(candidates, maxTried)) {
    const { topic, partition } = record.origin;
    try {
      // Ahead of its turn in the partition, which is harmless: the mark of its aggregate decides.
      await process({ kind: 'records', topic, partition, records: [record] });
    } catch (error) {
      if (isInfrastructure(error)) return false;
      othersFail = true;
    }
    if (inbox.controls.count() > before) return true;
  }
  if (othersFail && candidates.length > maxTried) return false;
  try {
    await processProbe(inbox);
  } catch (error) {
    inbox.logger.warn({ event: 'inbox.probe-failed', err: error });
  }
  return inbox.controls.count() > before;
}

/** The next one, then ever farther ones: neighbours may fail for the same reason. */
function pick<Item>(items: readonly Item[], most: number): Item[] {
  if (items.length <= most) return [...items];
  const picked = Array.from({ length: most }, (_, step) => items[Math.min(items.length, 2 ** step) - 1]);
  return picked.filter((item) => item !== undefined);
}

const doNothing: Handler = { afterDeadLetter: 'block', handle: () => Promise.resolve() };

/**
 * Processes a record of the inbox's own as any record of the source, from its headers to COMMIT; only the handler is left out.
 * It moves the mark of an aggregate that no event may have. Throws what the processing throws.
 */
async function processProbe(inbox: Inbox): Promise<void> {
  const { store, decoder, clock } = inbox;
  const mark = await store.transaction(({ marks }) => marks.find(probeAggregateId));
  const version = (mark?.version ?? 0) + 1;
  const { eventType, value } = decoder.sample();
  const { bytes } = writeHeaders([
    // Two that try at once have one event, not a conflict.
    [headerNames.eventId, `probe-${version}`],
    [headerNames.eventType, eventType],
    [headerNames.aggregateId, probeAggregateId],
    [headerNames.version, String(version)],
  ]);
  const origin = { topic: 'inbox-probe', partition: 0, offset: '0', timestampMs: clock.now() };
  const record = { origin, key: null, value, headers: readHeaders(bytes) };
  await processReadings({ ...inbox, handler: doNothing }, [readSource(record, null)]);
}
