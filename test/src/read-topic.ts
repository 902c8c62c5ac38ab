import { connectKafka, listRanges, readRanges, withAdmin } from '@board/kafka';
import { uniqueName } from './test-schema.ts';

/** A record as a reader outside the pipeline sees it; null header values are undefined here. */
export interface TopicRecord {
  readonly partition: number;
  readonly offset: string;
  readonly timestampMs: number;
  readonly key: string | undefined;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** Every record that the topic holds now, read by a group of its own. */
export async function readTopic(brokers: readonly string[], topic: string): Promise<TopicRecord[]> {
  const kafka = connectKafka({ brokers }, 'test-reader');
  const ranges = await withAdmin(kafka, (admin) => listRanges(admin, topic));
  if (ranges === undefined) throw new Error(`there is no topic ${topic}`);
  const records: TopicRecord[] = [];
  await readRanges(
    kafka,
    uniqueName('reader'),
    ranges,
    ({ partition }, { offset, timestamp, key, value, headers }) => {
      records.push({
        partition,
        offset,
        timestampMs: Number(timestamp),
        key: key?.toString(),
        value,
        headers: Object.fromEntries(
          Object.entries(headers).map(([name, text]) => [name, text?.toString()]),
        ),
      });
      return 'more';
    },
  );
  return records;
}
