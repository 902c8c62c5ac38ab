import { createMemoryDatabase } from './support/memory-store/database.ts';
import { createMemoryStore } from './support/memory-store/memory-store.ts';
import { describeStore } from './support/store-conformance/store-conformance.ts';

describeStore('memory', async () => {
  const database = createMemoryDatabase();
  const options = {
    database,
    consumer: { group: 'group', aggregateType: 'thing' },
    nowMs: Date.now,
  };
  return {
    one: createMemoryStore(options),
    other: createMemoryStore(options),
    effects: async () => database.tables.effects,
    async dismiss(deadLetter) {
      const row = database.tables.deadLetters.get(deadLetter);
      if (row !== undefined)
        database.tables.deadLetters.set(deadLetter, { ...row, closedBy: 'dismissed' });
    },
  };
});
