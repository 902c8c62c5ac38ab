import { expect, it } from 'vitest';
import { planTrim } from './topics.ts';

const ends = [{ partition: 0, low: '10', high: '50' }];
const at = (offset: string) => planTrim(ends, [{ partition: 0, offset }]);

it('trims up to the committed offset, and not one record more', () => {
  expect(at('42')).toEqual([{ partition: 0, offset: '42', records: 32 }]);
  expect(at('50')).toEqual([{ partition: 0, offset: '50', records: 40 }]);
});

it.each([
  ['nothing is committed, which to the broker would mean everything', '-1'],
  ['nothing new was processed', '10'],
  ['the offset is of an earlier topic', '51'],
])('leaves the partition alone when %s', (_name, offset) => {
  expect(at(offset)).toEqual([]);
});

it('leaves a partition alone when the group has no offset for it', () => {
  expect(planTrim(ends, [{ partition: 1, offset: '20' }])).toEqual([]);
});
