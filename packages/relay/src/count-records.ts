import type { Admin } from 'kafkajs';

/**
 * Counts all records that were ever written to these topics; a topic that does not exist has none.
 * Undefined when Kafka cannot tell at the moment, as when a topic is so new that its leader is not
 * known everywhere.
 */
export async function countRecords(
  admin: Admin,
  topics: readonly string[],
): Promise<bigint | undefined> {
  try {
    const existing = new Set(await admin.listTopics());
    let records = 0n;
    for (const topic of topics.filter((name) => existing.has(name))) {
      for (const { high } of await admin.fetchTopicOffsets(topic)) records += BigInt(high);
    }
    return records;
  } catch (error) {
    if (error instanceof Error && 'retriable' in error && error.retriable === true)
      return undefined;
    throw error;
  }
}
