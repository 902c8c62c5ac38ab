import type { ReadPositions } from '../../../src/store/store.ts';
import type { Change, View } from './database.ts';

export function memoryPositions(changes: Change[], view: View): ReadPositions {
  const keyOf = ({
    topic,
    partition,
  }: {
    readonly topic: string;
    readonly partition: number;
  }): string => `${topic}/${partition}`;
  return {
    read: async () => [...view().positions.values()],
    async store(positions) {
      for (const one of positions)
        changes.push((tables) => {
          const newestMs = Math.max(one.newestMs, tables.positions.get(keyOf(one))?.newestMs ?? 0);
          tables.positions.set(keyOf(one), { ...one, newestMs });
        });
    },
    async recordMissing(missing) {
      const key = `${keyOf(missing)} ${missing.from} ${missing.to}`;
      changes.push((tables) => tables.missing.set(key, { ...missing, isCleared: false }));
    },
    async openMissing() {
      const open = [...view().missing.values()].filter(({ isCleared }) => !isCleared);
      return { count: open.length, reasons: open.slice(0, 3).map(({ reason }) => reason) };
    },
    everMissing: async (topic) =>
      [...view().missing.values()].filter((one) => one.topic === topic).map(({ reason }) => reason),
    async forget(starts) {
      for (const start of starts)
        changes.push((tables) => {
          const known = tables.positions.get(keyOf(start));
          if (known !== undefined)
            tables.positions.set(keyOf(start), { ...known, next: start.low });
        });
    },
  };
}
