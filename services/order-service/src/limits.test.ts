import { expect, it } from 'vitest';
import {
  assertOwnLimits,
  findMisfits,
  largestEventBytes,
  ownLimits,
  serverFits,
} from './limits.ts';

const server = { maxAllowedPacket: 16 * 1024 * 1024, maxBinlogCacheSize: 2 ** 64 };

it('accepts the limits of the code and the contracts', () => {
  expect(() => assertOwnLimits()).not.toThrow();
  expect(findMisfits(serverFits(ownLimits, server))).toEqual([]);
});

it.each([
  [
    'a longer title',
    { titleCodePoints: 201 },
    'the title, in characters, may take 201, its column has room for 200',
  ],
  [
    'a longer author',
    { authorCodePoints: 101 },
    'the author, in characters, may take 101, its column',
  ],
  [
    'a smaller body',
    { bodyBytes: 384 * 1024 },
    'every character escaped, may take 397072, the body limit',
  ],
  ['a body above the column', { bodyBytes: 2 ** 24 }, 'the content column has room for 16777215'],
  [
    'a body above the payload',
    { bodyBytes: 524_288 },
    'the event with the text of a request may take 525312',
  ],
  [
    'longer content',
    { contentBytes: 524_288, bodyBytes: 0 },
    'the event of a board at every limit may take 525',
  ],
  [
    'a larger payload',
    { payloadBytes: 2 ** 20 },
    'may take 1052672, max.message.bytes of the topic has room for 1048576',
  ],
  [
    'a topic limit that is no number',
    { messageBytes: NaN },
    'max.message.bytes of the topic has room for NaN',
  ],
  [
    'a smaller topic',
    { messageBytes: 524_288 },
    'max.message.bytes of the topic has room for 524288',
  ],
])('refuses %s', (_what, change, sentence) => {
  expect(() => assertOwnLimits({ ...ownLimits, ...change })).toThrow(sentence);
});

it.each([
  [
    'packets of MySQL',
    ownLimits,
    { ...server, maxAllowedPacket: 8 * 1024 * 1024 },
    'max_allowed_packet of MySQL',
  ],
  [
    'an answer of MySQL that is no number',
    ownLimits,
    { ...server, maxAllowedPacket: NaN },
    'has room for NaN',
  ],
  [
    'a binlog cache',
    ownLimits,
    { ...server, maxBinlogCacheSize: 4_096 },
    'max_binlog_cache_size of MySQL',
  ],
  [
    'packets of MySQL that are no number',
    ownLimits,
    { ...server, maxAllowedPacket: Number.NaN },
    'max_allowed_packet of MySQL has room for NaN',
  ],
  [
    'larger batches',
    { ...ownLimits, batchBytes: 4 * 1024 * 1024 },
    server,
    'max_allowed_packet of MySQL',
  ],
  ['batches of more', { ...ownLimits, batchRows: 2_000 }, server, 'max_allowed_packet of MySQL'],
])('finds %s that do not fit', (_what, own, settings, sentence) => {
  expect(findMisfits(serverFits(own, settings)).join()).toContain(sentence);
});

it('measures the largest event with the schemas', () => {
  const { titleCodePoints, contentBytes, authorCodePoints } = ownLimits;
  const texts = titleCodePoints * 4 + contentBytes + authorCodePoints * 4;
  expect(largestEventBytes(ownLimits)).toBeGreaterThan(texts + 36);
  expect(largestEventBytes(ownLimits)).toBeLessThan(texts + 200);
});

it.each(['\u0001', '"', '\\', '\n', '가', '🎉', 'x'])(
  'a kept answer full of %j has a statement no longer than estimated',
  (character) => {
    const content = character.repeat(10_000);
    const kept = Buffer.from(JSON.stringify({ body: JSON.stringify({ content }) }));
    const [statement] = serverFits(
      { ...ownLimits, batchRows: 1, batchBytes: Buffer.byteLength(content) },
      server,
    );
    expect(kept.toString('hex').length).toBeLessThanOrEqual(statement?.takes ?? 0);
  },
);
