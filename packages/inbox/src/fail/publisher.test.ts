import fc from 'fast-check';
import { expect, it } from 'vitest';
import { splitForSending } from './publisher.ts';

const record = (partition: number, size: number) => ({
  topic: 't',
  partition,
  key: null,
  value: Buffer.alloc(size),
  headers: {},
});

it('splits records in order, with no partition over the limit except for a single large record', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 150 }))),
      (sizes) => {
        const records = sizes.map(([partition, size]) => record(partition, size));
        const parts = splitForSending(records, 100);
        expect(parts.flat()).toEqual(records);
        for (const part of parts)
          for (const ofPartition of Map.groupBy(part, (one) => one.partition).values()) {
            const bytes = ofPartition.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
            expect(bytes <= 100 || ofPartition.length === 1).toBe(true);
          }
      },
    ),
  );
});
