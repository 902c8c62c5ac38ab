import { describe, expect, it } from 'vitest';
import { toHeaders } from '../../test/support/to-headers.ts';
import { retryHeaders, sendableHeaders, sourceHeaders } from './headers.ts';

describe('headers of a source record', () => {
  const many = (count: number) =>
    toHeaders(Object.fromEntries(Array.from({ length: count }, (_, n) => [`h${n}`, ''])));

  it('travel packed where ours beside them would be more than are read', () => {
    const sent = sendableHeaders(many(995));
    expect(Object.keys(sent)).toEqual(['inbox-headers']);
    expect(sourceHeaders(toHeaders({ ...sent, [retryHeaders.attempts]: '1' }))).toEqual(many(995));
  });

  it('are refused where they are read, not where they are stored, when a list of null values makes too many of them', () => {
    const forged = toHeaders({
      id: 'e',
      aggregateId: 'a',
      version: '1',
      'inbox-null-headers': 'a,'.repeat(1_001),
    });
    expect(sourceHeaders(forged).problem).toContain('at most 1000 are read');
  });
});
