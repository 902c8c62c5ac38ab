import { randomUUID } from 'node:crypto';
import { readRanges, withAdmin } from '@board/kafka-kit';
import { digestOf, headerText, type Origin, type SourceRecord } from '../record.ts';
import { deadLetterHeaders } from '../route/route-headers.ts';
import type { Letter } from './letter.ts';
import type { Operator } from './operator.ts';

/**
 * The record that a bare dead letter stands for, from its place in the source topic, with the headers that the dead letter would
 * have; undefined when it is gone or is not that record any more.
 */
export async function readOrigin(
  operator: Operator,
  { origin }: Letter,
  deadLetter: SourceRecord,
): Promise<SourceRecord | undefined> {
  const record = await readAt(operator, origin);
  const digest = headerText(deadLetter.headers, deadLetterHeaders.bareDigest);
  return record !== undefined && digestOf(record) === digest ? record : undefined;
}

async function readAt(
  { kafka, consumer }: Operator,
  { topic, partition, offset }: Omit<Origin, 'timestampMs'>,
): Promise<SourceRecord | undefined> {
  const from = BigInt(offset);
  const isHeld = await withAdmin(kafka, async (admin) => {
    if (!(await admin.listTopics()).includes(topic)) return false;
    return (await admin.fetchTopicOffsets(topic)).some(
      (one) => one.partition === partition && BigInt(one.low) <= from && from < BigInt(one.high),
    );
  });
  if (!isHeld) return undefined;
  let found: SourceRecord | undefined;
  const range = { topic, partition, from, end: from + 1n };
  await readRanges(kafka, `${consumer.group}.operator.${randomUUID()}`, [range], (_range, record) => {
    const { timestamp, key, value } = record;
    const origin = { topic, partition, offset, timestampMs: Number(timestamp) };
    found = { origin, key, value, headers: record.recordHeaders() };
    return 'enough';
  });
  return found;
}
