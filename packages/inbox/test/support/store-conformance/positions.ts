import { expect, it } from 'vitest';
import type { OpenStores } from './samples.ts';

/** What was read and what was missing, and the meaning of schema ids. */
export function testPositionsAndSchemas(open: OpenStores): void {
  it('remembers how far each partition was read, and what was missing', async () => {
    const { one } = await open();
    const position = {
      topic: 'things',
      partition: 0,
      next: 7n,
      end: 9_007_199_254_740_993n,
      newestMs: 50,
    };
    const missing = { topic: 'things', partition: 0, from: 1n, to: 6n, reason: 'deleted' };
    await one.transaction(async ({ positions }) => {
      await positions.store([position, { ...position, partition: 1 }]);
      await positions.store([{ ...position, next: 8n, newestMs: 40 }]);
      await positions.recordMissing(missing);
      await positions.recordMissing(missing);
    });
    await one.transaction(async ({ positions }) => {
      expect(await positions.read()).toEqual(
        expect.arrayContaining([
          { ...position, next: 8n },
          { ...position, partition: 1 },
        ]),
      );
      expect(await positions.openMissing()).toEqual({ count: 1, reasons: ['deleted'] });
      expect([
        await positions.everMissing('things'),
        await positions.everMissing('others'),
      ]).toEqual([['deleted'], []]);
      await positions.forget([{ topic: 'things', partition: 0, low: 2n }]);
    });
    const stands = await one.transaction(({ positions }) => positions.read());
    expect(stands.find(({ partition }) => partition === 0)?.next).toBe(2n);
  });

  it('remembers the first meaning of a schema id, until an operator decides otherwise', async () => {
    const { schemas } = (await open()).one;
    const key = { eventType: 'Thing', schemaId: 7 };
    const learned = { ...key, fingerprint: 'f'.repeat(64), text: '"string"' };
    await schemas.remember(learned);
    await schemas.remember({ ...learned, fingerprint: '0'.repeat(64) });
    expect(await schemas.read()).toEqual([{ ...learned, decision: 'registry' }]);
    await schemas.decide({ ...key, decision: 'refused' });
    expect(await schemas.read()).toEqual([{ ...key, decision: 'refused' }]);
    await schemas.forget(key);
    expect(await schemas.read()).toEqual([]);
  });
}
