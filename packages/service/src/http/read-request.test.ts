import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hasRepeatedKey } from './read-request.ts';

const check = (source: string): boolean => hasRepeatedKey(source, JSON.parse(source));

test('no value written by JSON.stringify has a repeated key, with any indent', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(undefined, 2), (source, indent) => {
      expect(check(JSON.stringify(JSON.parse(source), null, indent))).toBe(false);
    }),
  );
});

test('a key that is added again to an object at any depth is found', () => {
  const key = fc.string({
    unit: fc.constantFrom('"', '\\', '{', ',', 'a', '\u2028', '\ud800', '😀'),
  });
  const value = key.map((text) => JSON.stringify([text, { [text]: null }]));
  fc.assert(
    fc.property(key, value, value, fc.nat(5), (name, first, second, depth) => {
      const text = JSON.stringify(name);
      const object = `{"other":1, ${text} : ${first},${text}:${second}}`;
      expect(check('[{"a":'.repeat(depth) + object + '}]'.repeat(depth))).toBe(true);
    }),
  );
});

test.each([
  ['a key escaped the second time', '{"a":1,"\\u0061":2}', true],
  ['a prototype key', '{"__proto__":1,"__proto__":2}', true],
  ['a key that stands in a text', '{"__proto__":{"a":"b"},"a":"\\"a\\":"}', false],
  ['a text that ends in a backslash', '"\\\\"', false],
  ['a nesting deeper than the stack', `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, false],
  ['a long text of escapes', `{"a":"${'\\u0041'.repeat(65_536)}"}`, false],
])('%s', (_, source, repeated) => {
  expect(check(source)).toBe(repeated);
});
