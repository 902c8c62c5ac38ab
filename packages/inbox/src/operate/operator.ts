import type { Kafka } from 'kafkajs';
import type { DataSource } from 'typeorm';
import type { Consumer } from '../consumer.ts';

/** What every repair needs: whose inbox, and where its tables and topics are. */
export interface Operator {
  readonly consumer: Consumer;
  readonly dataSource: DataSource;
  readonly kafka: Kafka;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
