import { describe } from 'vitest';
import { testDeadLetters } from './dead-letters.ts';
import { testParkedAndSkips } from './parked.ts';
import { testPositionsAndSchemas } from './positions.ts';
import type { OpenStores } from './samples.ts';
import { testTransactions } from './transactions.ts';

/** What every store promises. */
export function describeStore(name: string, open: OpenStores): void {
  describe(`${name} as a store`, () => {
    testTransactions(open);
    testParkedAndSkips(open);
    testDeadLetters(open);
    testPositionsAndSchemas(open);
  });
}
