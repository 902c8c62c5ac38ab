import type { Marks, Skips } from '../../../src/store/store.ts';
import { acquire, type Change, type MemoryDatabase, type Open, type View } from './database.ts';

export function memoryMarks(database: MemoryDatabase, open: Open, view: View): Marks {
  const { changes } = open;
  return {
    async lock(aggregateIds) {
      const ids = [...new Set(aggregateIds)].sort();
      for (const id of ids) await acquire(database, open, id);
      const { marks } = view();
      const locked = new Map(ids.map((id) => [id, marks.get(id) ?? { version: 0, eventId: '' }]));
      for (const [id, mark] of locked)
        if (!marks.has(id)) changes.push((tables) => tables.marks.set(id, mark));
      return locked;
    },
    async move(moved) {
      const entries = [...moved].map(
        ([id, { version, eventId }]) => [id, { version, eventId }] as const,
      );
      changes.push(({ marks }) => entries.forEach(([id, mark]) => marks.set(id, mark)));
    },
    find: async (aggregateId) => view().marks.get(aggregateId),
  };
}

export function memorySkips(changes: Change[], view: View): Skips {
  const keyOf = (aggregateId: string, version: number): string => `${aggregateId}/${version}`;
  return {
    async record(skips) {
      for (const skip of skips) {
        const key = keyOf(skip.identity.aggregateId, skip.identity.version);
        changes.push(({ skipped }) => skipped.has(key) || skipped.set(key, skip));
      }
    },
    async findReopened(identities) {
      const { skipped } = view();
      const reopened = identities.filter(({ aggregateId, version, eventId }) => {
        const skip = skipped.get(keyOf(aggregateId, version));
        return skip?.decidedBy === 'policy' && skip.identity.eventId === eventId;
      });
      return reopened;
    },
    async findAhead() {
      const { skipped, marks } = view();
      const ahead = [...skipped.values()].filter(
        ({ identity }) => identity.version > (marks.get(identity.aggregateId)?.version ?? 0),
      );
      return ahead.map(({ identity }) => identity);
    },
    async forget(identities) {
      for (const { aggregateId, version } of identities)
        changes.push(({ skipped }) => skipped.delete(keyOf(aggregateId, version)));
    },
  };
}
