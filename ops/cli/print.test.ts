import { expect, it } from 'vitest';
import { counted, versionSpan } from './print.ts';

it.each([
  [0, '0 copies'],
  [1, '1 copy'],
  [2, '2 copies'],
])('%i is counted as "%s"', (count, text) => expect(counted(count, 'copy', 'copies')).toBe(text));

it('most words only gain an s', () => expect(counted(3, 'dead letter')).toBe('3 dead letters'));

it('a span of one version is printed as that version', () => {
  expect(versionSpan(9, 9)).toBe('version 9');
  expect(versionSpan(9, 12)).toBe('versions 9 to 12');
});
