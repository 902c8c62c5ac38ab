import { lockMarks, moveMarks } from '../database/marks.ts';
import { clearPassed, park } from '../database/parked.ts';
import { recordSkips, type Skip } from '../database/skipped.ts';
import { inTransaction } from '../database/transaction.ts';
import { decide, type Mark } from '../decide/decide.ts';
import type { Delivery } from '../delivery.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';

/**
 * Moves marks past dead letters, by the `skip` policy: only from the version before; a dead letter whose turn has not come
 * leaves a marker among the parked and is passed over in its turn. Returns the aggregates whose next event may be parked.
 */
export async function skipPast<E extends DecodedEvent>(
  inbox: Inbox<E>,
  deadLetters: readonly Delivery[],
): Promise<readonly string[]> {
  if (deadLetters.length === 0) return [];
  const { consumer } = inbox;
  return inTransaction(
    inbox.dataSource,
    () => inbox.metrics.rerun(),
    async ({ tx }) => {
      const marks = await lockMarks(
        tx,
        consumer,
        deadLetters.map((one) => one.identity.aggregateId),
      );
      const moved = new Map<string, Mark>();
      const markers: Delivery[] = [];
      const skips: Skip[] = [];
      for (const delivery of deadLetters) {
        const { aggregateId, version, eventId } = delivery.identity;
        const decision = decide(
          moved.get(aggregateId) ?? marks.get(aggregateId) ?? { version: 0, eventId: '' },
          delivery.identity,
        );
        if (decision === 'apply') {
          moved.set(aggregateId, { version, eventId });
          skips.push({ identity: delivery.identity, decidedBy: 'policy', reason: 'dead letter' });
        }
        if (decision === 'park') markers.push({ ...delivery, kind: 'skip-marker' });
      }
      await park(tx, consumer, markers, inbox.now());
      await moveMarks(tx, consumer, moved);
      await recordSkips(tx, consumer, skips, inbox.now());
      return clearPassed(tx, consumer, moved);
    },
  );
}
