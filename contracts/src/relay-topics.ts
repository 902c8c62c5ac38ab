import { durable, type TopicDefinition } from './topic.ts';

/** The connector's `topic.prefix`; Debezium derives the names of its own topics from it. */
export const topicPrefix = 'board-outbox';

/** Without this topic the connector says RUNNING and never ships a row. */
export const heartbeatTopic: TopicDefinition = {
  name: `__debezium-heartbeat.${topicPrefix}`,
  partitions: 1,
  replicationFactor: 3,
  config: { 'min.insync.replicas': '2', 'cleanup.policy': 'delete', 'retention.ms': '3600000' },
};

/**
 * The connector rebuilds the tables' history from the first record on: one partition, nothing
 * expires.
 */
export const schemaHistoryTopic: TopicDefinition = {
  name: `${topicPrefix}.schema-history`,
  partitions: 1,
  replicationFactor: 3,
  config: durable,
};

/**
 * What the keeper has seen of MySQL and of the connector: outside the database, so that no restore
 * takes it back.
 */
export const keeperMemoryTopic: TopicDefinition = {
  name: 'keeper-memory',
  partitions: 1,
  replicationFactor: 3,
  // Of each key the last value counts; small segments, since the one being written is never
  // compacted.
  config: { 'min.insync.replicas': '2', 'cleanup.policy': 'compact', 'segment.ms': '3600000' },
};
