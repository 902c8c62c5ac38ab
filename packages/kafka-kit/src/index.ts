export { askBrokers } from './ask-brokers.ts';
export { assertTopics } from './assert-topics.ts';
export { openCompactedTopic, type CompactedTopic } from './compacted-topic.ts';
export { connectKafka } from './connect-kafka.ts';
export { createProducer } from './create-producer.ts';
export type { KafkaAccess } from './kafka-access.ts';
export { kafkaAccess, kafkaFields } from './kafka-fields.ts';
export { openAdmin } from './open-admin.ts';
export { readRanges, type OffsetRange } from './read-ranges.ts';
