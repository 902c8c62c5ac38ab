import { bytesOf, type RoutedRecord } from './routed-record.ts';

/** kafkajs makes one record batch per partition of a send, and `max.message.bytes` limits the batch. */
const maxBatchBytes = 512 * 1024;

/** Splits records, in order, so that no partition gets a batch that its topic refuses; a single large record goes alone. */
export function splitForSending(records: readonly RoutedRecord[], maxBytes = maxBatchBytes): RoutedRecord[][] {
  const parts: RoutedRecord[][] = [];
  let part: RoutedRecord[] = [];
  let bytes = new Map<string, number>();
  for (const record of records) {
    const partition = `${record.topic}/${record.partition}`;
    const size = (bytes.get(partition) ?? 0) + bytesOf(record);
    if (size > maxBytes && bytes.has(partition)) {
      parts.push(part);
      part = [];
      bytes = new Map();
    }
    bytes.set(partition, (bytes.get(partition) ?? 0) + bytesOf(record));
    part.push(record);
  }
  if (part.length > 0) parts.push(part);
  return parts;
}
