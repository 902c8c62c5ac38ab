import { parseEntityTags } from '@board/service';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { idCursor, versionEtag, parseIdempotencyKey } from './requests.ts';

describe('an ETag', () => {
  const read = (header: string) => versionEtag.versions(parseEntityTags(header));

  test('reads back all versions from a list of tags', () => {
    const version = fc.integer({ min: 1, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(fc.array(version, { minLength: 1, maxLength: 5 }), (versions) => {
        expect(read(versions.map((one) => versionEtag.of(one)).join(', '))).toEqual(versions);
      }),
    );
  });

  test('matches no version for a weak or foreign tag, and only the valid ones beside it', () => {
    expect(read('W/"1", "01", "1 ", "", "0", "-1", "1e3", "99999999999", "abc"')).toBeUndefined();
    expect(read('W/"1", "01", "", "0", "-1", "1e3", "99999999999", "abc"')).toEqual([]);
    expect(read('W/"1", "2", "abc"')).toEqual([2]);
  });

  test('allows any version for a star or without If-Match', () => {
    expect(versionEtag.versions(undefined)).toBeUndefined();
    expect(read('*')).toBeUndefined();
  });
});

describe('an Idempotency-Key', () => {
  const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCodePoint(code));
  const key = fc.string({ unit: visible, minLength: 1, maxLength: 255 });

  test('of 1 to 255 visible characters can be sent quoted', () => {
    fc.assert(
      fc.property(key, (given) => {
        expect(parseIdempotencyKey(`"${given.replaceAll(/["\\]/g, String.raw`\$&`)}"`)).toBe(given);
      }),
    );
  });

  test('is the same key bare and quoted', () => {
    fc.assert(
      fc.property(key, (given) => {
        fc.pre(!/[",;\\]/.test(given));
        expect(parseIdempotencyKey(given)).toBe(given);
        expect(parseIdempotencyKey(`"${given}"`)).toBe(given);
      }),
    );
  });

  test('is none when two keys are joined, as Node and proxies join them', () => {
    const form = fc
      .tuple(key, fc.boolean())
      .map(([text, quote]) => (quote ? JSON.stringify(text) : text));
    fc.assert(
      fc.property(form, form, fc.constantFrom(', ', ','), (one, other, comma) => {
        // Two bare ones whose quotes happen to make one quoted key cannot be told apart.
        fc.pre(!(one.startsWith('"') && !one.endsWith('"')) && one !== '"');
        expect(parseIdempotencyKey(one + comma + other)).toBeUndefined();
      }),
    );
  });

  test.each([
    '',
    '""',
    '"',
    '"a',
    'a"',
    'a b',
    '"a b"',
    '"a"b"',
    '"a\\b"',
    '"a\\"',
    'a;b',
    '"a";v=1',
    'ä',
    '"\x7f"',
    'a\t',
  ])('refuses %j', (header) => {
    expect(parseIdempotencyKey(header)).toBeUndefined();
  });

  test('refuses 256 characters', () => {
    expect(parseIdempotencyKey('a'.repeat(255))).toHaveLength(255);
    expect(parseIdempotencyKey('a'.repeat(256))).toBeUndefined();
    expect(parseIdempotencyKey(`"${String.raw`\"`.repeat(255)}"`)).toHaveLength(255);
    expect(parseIdempotencyKey(`"${'a'.repeat(256)}"`)).toBeUndefined();
  });
});

describe('a cursor', () => {
  test('reads back every id', () => {
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        expect(idCursor.read(idCursor.of(id))).toBe(id);
      }),
    );
  });

  test('refuses a text that it did not make', () => {
    const made = idCursor.of('019b0000-0000-7000-8000-000000000001');
    const bad = fc.oneof(
      fc.string(),
      fc.string().map((text) => made + text),
      fc.nat(21).map((end) => made.slice(0, end)),
    );
    fc.assert(
      fc.property(bad, (text) => {
        fc.pre(text !== made);
        const id = idCursor.read(text);
        expect(id === undefined || idCursor.of(id) === text).toBe(true);
      }),
    );
    // Ends in bits that do not count, which a lenient reader would drop.
    expect(idCursor.read(`${made.slice(0, -1)}R`)).toBeUndefined();
    for (const text of ['', `${made}=`, ` ${made}`, `${made.slice(0, -1)}+`])
      expect(idCursor.read(text)).toBeUndefined();
  });
});
