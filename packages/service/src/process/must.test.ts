import { expect, test } from 'vitest';
import { must } from './errors.ts';

test.each([undefined, null, Number(undefined), Number('16M')])('%s is not a value', (value) => {
  expect(() => must(value, 'the limit')).toThrow(`the limit must be there, got ${String(value)}`);
});

test.each([0, '', false, 1n, Infinity])('%s is a value', (value) => {
  expect(must(value, 'the limit')).toBe(value);
});
