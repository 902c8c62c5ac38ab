import { durableTopicConfig, type TopicDefinition } from './definitions.ts';

/* What the relay writes besides events: topics of its own, and the headers of every record. */

/** The connector's `topic.prefix`; Debezium derives the names of its own topics from it. */
export const topicPrefix = 'board-outbox';

/** Without this topic the connector reports RUNNING and ships no row. */
export const heartbeatTopic: TopicDefinition = {
  name: `__debezium-heartbeat.${topicPrefix}`,
  partitions: 1,
  replicationFactor: 3,
  config: { 'min.insync.replicas': '2', 'cleanup.policy': 'delete', 'retention.ms': '3600000' },
};

/**
 * The connector reads the tables' history from the first record: one partition, none may expire.
 */
export const schemaHistoryTopic: TopicDefinition = {
  name: `${topicPrefix}.schema-history`,
  partitions: 1,
  replicationFactor: 3,
  config: durableTopicConfig,
};

/**
 * What the keeper has seen of MySQL and of the connector: outside the database, so that no restore
 * removes it.
 */
export const keeperMemoryTopic: TopicDefinition = {
  name: 'keeper-memory',
  partitions: 1,
  replicationFactor: 3,
  // Only the last value of a key is needed; segments are short, because the active one is never
  // compacted.
  config: { 'min.insync.replicas': '2', 'cleanup.policy': 'compact', 'segment.ms': '3600000' },
};

/** Names of the headers that the Event Router puts on every record; every value is UTF-8 text. */
export const headerNames = {
  /** UUIDv7 of the event, `outbox.id`. */
  eventId: 'id',
  /** `BoardCreated`, `BoardEdited` or `BoardDeleted`. */
  eventType: 'eventType',
  aggregateId: 'aggregateId',
  /** Decimal, 1..2^32-1: the number of the event inside its aggregate. */
  version: 'version',
  /** W3C trace context of the request that caused the event; null without one. */
  traceparent: 'traceparent',
  /** When the change was made: microseconds since the epoch, decimal. */
  occurredAt: 'occurredAt',
} as const;
