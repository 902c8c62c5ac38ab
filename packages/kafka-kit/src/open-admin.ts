import type { Admin } from 'kafkajs';
import { connectKafka } from './connect-kafka.ts';

/** Connects an admin client for a short errand; the caller disconnects it. */
export async function openAdmin(brokers: readonly string[]): Promise<Admin> {
  const admin = connectKafka(brokers, 'admin').admin({ retry: { retries: 5 } });
  try {
    await admin.connect();
    return admin;
  } catch (cause) {
    await admin.disconnect();
    throw new Error(`no Kafka broker answers at ${brokers.join(', ')}`, { cause });
  }
}
