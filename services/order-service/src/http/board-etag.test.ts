import { parseEntityTags } from '@board/service-kit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boardEtag } from './board-etag.ts';

const read = (header: string) => boardEtag.versions(parseEntityTags(header));

test('reads back ANY versions from a list of tags', () => {
  const version = fc.integer({ min: 1, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(fc.array(version, { minLength: 1, maxLength: 5 }), (versions) => {
      expect(read(versions.map((one) => boardEtag.of(one)).join(', '))).toEqual(versions);
    }),
  );
});

test('a tag that is WEAK or not ours matches nothing, and does not make the rest match', () => {
  expect(read('W/"1", "01", "1 ", "", "0", "-1", "1e3", "99999999999", "abc"')).toBeUndefined();
  expect(read('W/"1", "01", "", "0", "-1", "1e3", "99999999999", "abc"')).toEqual([]);
  expect(read('W/"1", "2", "abc"')).toEqual([2]);
});

test('no If-Match and a star allow ANY version', () => {
  expect(boardEtag.versions(undefined)).toBeUndefined();
  expect(read('*')).toBeUndefined();
});
