import type { Admin } from 'kafkajs';
import { connectKafka } from './connect-kafka.ts';
import type { KafkaAccess } from './kafka-access.ts';

/** Connects an admin client for a short errand; the caller disconnects it. */
export async function openAdmin(access: KafkaAccess): Promise<Admin> {
  const admin = connectKafka(access, 'admin').admin({ retry: { retries: 5 } });
  try {
    await admin.connect();
    return admin;
  } catch (cause) {
    await admin.disconnect();
    throw new Error(`no Kafka broker answers at ${access.brokers.join(', ')}`, { cause });
  }
}
