import { Partitioners, type Kafka, type Producer, type ProducerConfig } from 'kafkajs';

/**
 * A producer that is not connected yet, for topics that are there.
 *
 * Not kafkajs's idempotent mode: after a lost answer that reuses the sequence number, and the next record is acknowledged without
 * being stored. Whoever reads what is written here takes a copy for what it is; a loss is nothing that anybody could mend.
 */
export function createProducer(
  kafka: Kafka,
  settings: Pick<ProducerConfig, 'metadataMaxAge' | 'retry'> = {},
): Producer {
  return kafka.producer({
    ...settings,
    idempotent: false,
    allowAutoTopicCreation: false,
    // The default, by its name: else kafkajs warns that it was once another one.
    createPartitioner: Partitioners.DefaultPartitioner,
  });
}
