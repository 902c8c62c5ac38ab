import { createHash } from 'node:crypto';
import { headerNames } from '@board/contracts';
import { expect, test } from 'vitest';
import { deadLetterHeaders, retryHeaders } from '../../../packages/inbox/src/fail/headers.ts';
import { foreignMarker } from '../history.ts';
import { keptHeaders, nullLiteral, parseRecords } from './parse-records.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const line = (...parts: readonly string[]): string => `${parts.join('\u001f')}\u001e\n`;
const headers = (...texts: readonly string[]): string => texts.join('\u001d');
const place = ['LogAppendTime:1795000000001', 'Partition:2', 'Offset:41'] as const;

test('key, headers and value are read to the byte, and what the tool says at the end is left out', () => {
  const printed =
    line(
      ...place,
      headers('id:e\\x5C1', `traceparent:${nullLiteral}`, 'other:x:y', 'version:7'),
      '\\xEA\\xB0\\x80',
      '\\x00a\\x0A\\xFF',
    ) +
    line(...place, 'NO_HEADERS', nullLiteral, nullLiteral) +
    'Processed a total of 2 messages\n';
  expect([...parseRecords('board', printed)]).toEqual([
    {
      topic: 'board',
      partition: 2,
      offset: 41,
      appendedAt: 1_795_000_000_001,
      key: '가',
      headers: { id: 'e\\1', traceparent: null, version: '7' },
      digest: sha256(Buffer.from([0, 97, 10, 255])),
      foreignId: null,
    },
    expect.objectContaining({ key: null, headers: {}, digest: null }),
  ]);
});

test('a header that stands twice is left out', () => {
  const [record] = parseRecords(
    'board',
    line(...place, headers('id:a', 'version:1', 'id:a'), '', ''),
  );
  expect(record?.headers).toEqual({ version: '1' });
});

test('the marker of a foreign record is found in key, value and headers', () => {
  const marker = foreignMarker(12);
  const printed =
    line(...place, 'NO_HEADERS', `${marker}x`, nullLiteral) +
    line(...place, headers('a:b', `c:${marker}`), nullLiteral, nullLiteral) +
    line(...place, 'NO_HEADERS', nullLiteral, `boom ${marker}`);
  expect([...parseRecords('board', printed)].map(({ foreignId }) => foreignId)).toEqual([
    12, 12, 12,
  ]);
});

test('an output of another shape is refused', () => {
  expect(() => [...parseRecords('board', line('NO_TIMESTAMP', 'x'))]).toThrow(
    /is printed in 2 parts, not in 6/,
  );
  expect(() => [
    ...parseRecords('board', line(place[0], 'P', 'Offset:1', 'NO_HEADERS', '', '')),
  ]).toThrow(/"P" where Partition:/);
});

test('the headers that the checker reads are named as the pipeline writes them', () => {
  const { originTopic, originPartition, originOffset, reason } = deadLetterHeaders;
  const routed = [retryHeaders.attempts, reason, originTopic, originPartition, originOffset];
  expect([...keptHeaders].toSorted()).toEqual(
    [...Object.values(headerNames), ...routed].toSorted(),
  );
});
