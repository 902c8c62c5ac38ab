import { retryGroupOf, type ConsumerDefinition } from '@board/contracts';
import type { Kafka } from 'kafkajs';
import { findRetryTopics } from '../consume/retry-topics.ts';

/** Where an event of one consumer can be on its way. */
export interface AuditedTopics {
  readonly group: string;
  readonly retryGroup: string;
  readonly source: string;
  /** In the order in which a failing event goes through them. */
  readonly retries: readonly string[];
}

export async function auditedTopics(kafka: Kafka, consumer: ConsumerDefinition): Promise<AuditedTopics> {
  const { group, source } = consumer;
  return {
    group,
    retryGroup: retryGroupOf(consumer),
    source: source.name,
    retries: await findRetryTopics(kafka, consumer),
  };
}
