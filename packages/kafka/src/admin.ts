import type { Admin, Kafka } from 'kafkajs';
import { connectKafka, type KafkaAccess } from './connect-kafka.ts';

/** Part of a partition. */
export interface OffsetRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  /** Not included. */
  readonly end: bigint;
}

/** How patient an admin client is. */
export interface AdminOptions {
  /** How often a request is repeated; what asks again by itself asks seldom here. */
  readonly retries?: number;
}

/**
 * Connects an admin client; the caller disconnects it. Of addresses it makes a client of its own.
 */
export async function openAdmin(
  from: Kafka | KafkaAccess,
  { retries }: AdminOptions = {},
): Promise<Admin> {
  if ('brokers' in from) return openAdminAt(from, retries ?? 5);
  const admin = from.admin(retries === undefined ? {} : { retry: { retries } });
  try {
    await admin.connect();
    return admin;
  } catch (error) {
    await admin.disconnect();
    throw error;
  }
}

async function openAdminAt(access: KafkaAccess, retries: number): Promise<Admin> {
  try {
    return await openAdmin(connectKafka(access, 'admin'), { retries });
  } catch (cause) {
    throw new Error(`no Kafka broker answers at ${access.brokers.join(', ')}`, { cause });
  }
}

/** Lends an admin client for one errand. */
export async function withAdmin<Result>(
  from: Kafka | KafkaAccess,
  work: (admin: Admin) => Promise<Result>,
  options?: AdminOptions,
): Promise<Result> {
  const admin = await openAdmin(from, options);
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** All that each partition of the topic holds now; undefined when there is no such topic. */
export async function listRanges(admin: Admin, topic: string): Promise<OffsetRange[] | undefined> {
  if (!(await admin.listTopics()).includes(topic)) return undefined;
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.map(({ partition, low, high }) => ({
    topic,
    partition,
    from: BigInt(low),
    end: BigInt(high),
  }));
}

/** Throws when the brokers cannot be reached or a topic is missing: the inbox creates none. */
export async function assertTopics(kafka: Kafka, names: readonly string[]): Promise<void> {
  const existing = new Set(await withAdmin(kafka, (admin) => admin.listTopics(), { retries: 1 }));
  const missing = names.filter((name) => !existing.has(name));
  if (missing.length > 0)
    throw new Error(`these topics are missing: ${missing.join(', ')}; has the setup run?`);
}
