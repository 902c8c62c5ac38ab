import { decide, type Mark } from '../decide.ts';
import { must } from '../errors.ts';
import type { Inbox } from '../inbox.ts';
import type { Delivery } from '../record.ts';
import type { Skip } from '../store/store.ts';

/**
 * Moves marks past dead letters, by the `skip` policy: only from the version before; a dead letter whose turn has not come
 * leaves a marker among the parked and is passed over in its turn. Returns the aggregates whose next event may be parked.
 */
export async function skipPast({ store }: Inbox, deadLetters: readonly Delivery[]): Promise<readonly string[]> {
  if (deadLetters.length === 0) return [];
  return store.transaction(async (tx) => {
    const marks = new Map(await tx.marks.lock(deadLetters.map(({ identity }) => identity.aggregateId)));
    const moved = new Map<string, Mark>();
    const markers: Delivery[] = [];
    const skips: Skip[] = [];
    for (const delivery of deadLetters) {
      const { identity } = delivery;
      const { aggregateId, version, eventId } = identity;
      const decision = decide(must(marks.get(aggregateId), 'locked mark'), identity);
      if (decision === 'apply') {
        const mark = { version, eventId };
        marks.set(aggregateId, mark);
        moved.set(aggregateId, mark);
        skips.push({ identity, decidedBy: 'policy', reason: 'dead letter' });
      }
      if (decision === 'park') markers.push({ ...delivery, kind: 'skip-marker' });
    }
    await tx.parked.add(markers);
    await tx.marks.move(moved);
    await tx.skips.record(skips);
    const { passed, waiting } = await tx.parked.compare(moved);
    await tx.parked.deletePassed(moved, passed);
    return waiting;
  });
}
