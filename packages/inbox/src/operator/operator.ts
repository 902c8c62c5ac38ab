import type { Kafka } from 'kafkajs';
import type { DataSource } from 'typeorm';
import { createMysqlStore } from '../store/mysql-store.ts';
import type { ConsumerKey, InboxStore } from '../store/store.ts';

/** What every repair needs: whose inbox, and where its tables and topics are. */
export interface Operator {
  readonly consumer: ConsumerKey;
  readonly dataSource: DataSource;
  readonly kafka: Kafka;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The consumer's tables, for what must happen in one transaction. */
export function storeOf({ consumer, dataSource, now }: Operator): InboxStore {
  return createMysqlStore({ consumer, dataSource, nowMs: now });
}
