import type { Kafka } from 'kafkajs';

/** Throws when the brokers cannot be reached or a topic is missing: the inbox creates none. */
export async function assertTopics(kafka: Kafka, names: readonly string[]): Promise<void> {
  const admin = kafka.admin({ retry: { retries: 1 } });
  try {
    await admin.connect();
    const existing = new Set(await admin.listTopics());
    const missing = names.filter((name) => !existing.has(name));
    if (missing.length > 0) throw new Error(`these topics are missing: ${missing.join(', ')}; has the setup run?`);
  } finally {
    await admin.disconnect();
  }
}
