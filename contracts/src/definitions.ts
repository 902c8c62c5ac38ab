import { readFileSync } from 'node:fs';

/* What defines a topic, a kind of aggregate and a consumer, and the topics that follow from it. */

/** A topic as `provision/` creates it. */
export interface TopicDefinition {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

/** Two replicas must have a record before it counts as stored; no record expires. */
export const durableTopicConfig = {
  'min.insync.replicas': '2',
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
};

/** An Avro schema and the registry subject that keeps its versions. */
export interface EventSchema {
  readonly eventType: string;
  /** `<topic>-<full record name>` (the registry's topic-record strategy). */
  readonly subject: string;
  /** The Avro schema as JSON text. */
  readonly schema: string;
}

/** Every version of a subject must be able to read every other, older or newer. */
export const schemaCompatibility = 'FULL_TRANSITIVE';

/** The one definition of a kind of aggregate: topics, rights, purge and audit follow from it. */
export interface AggregateDefinition {
  /** The outbox's `aggregatetype`, and so the name of its topic. */
  readonly type: string;
  readonly topic: TopicDefinition;
  readonly schemas: readonly EventSchema[];
  /** The MySQL database of the service that owns it, which also holds the outbox. */
  readonly database: string;
  /**
   * The table with one row for each aggregate, with `id`, `version`, `created_at` and `deleted_at`:
   * a deleted aggregate keeps its row, for the audit.
   */
  readonly table: string;
}

/** The topic of a kind of aggregate: three replicas, no record expires or is compacted. */
export function defineEventTopic(type: string): TopicDefinition {
  return {
    name: type,
    partitions: 3,
    replicationFactor: 3,
    config: {
      ...durableTopicConfig,
      // With CreateTime, a record stamped more than an hour ahead (a wrong time zone is enough)
      // kills the connector.
      'message.timestamp.type': 'LogAppendTime',
      // The broker stores what a client compressed uncompressed, or refuses it as too large: no
      // consumer gets an unknown codec, or a size that only decompression shows.
      'compression.type': 'uncompressed',
      'max.message.bytes': '1048576',
    },
  };
}

/**
 * Reads the schema of an event type: the record `<type>.events.<eventType>` in a file of `avro/`.
 */
export function readEventSchema(type: string, eventType: string, file: string): EventSchema {
  const schema = readFileSync(new URL(`../avro/${file}`, import.meta.url), 'utf8');
  return { eventType, subject: `${type}-${type}.events.${eventType}`, schema };
}

/** An event type that a consumer reads, and the Avro schema that it was written for. */
export interface ReaderSchema {
  readonly eventType: string;
  /** The registry's name for the versions of its schema. */
  readonly subject: string;
  /** JSON text. */
  readonly schema: string;
}

/**
 * The one definition of a consumer: its groups, topics, rights, subscriptions, audit and repairs
 * follow from it.
 */
export interface ConsumerDefinition {
  /** The name by which operators call it. */
  readonly name: string;
  /** The group that reads the source topic; also the consumer's name in its tables. */
  readonly group: string;
  readonly source: TopicDefinition;
  /** The one kind of aggregate whose events the source topic carries. */
  readonly aggregateType: string;
  /** Number of retry topics: a failed event passes each in turn before it becomes a dead letter. */
  readonly retryTiers: number;
  readonly schemas: readonly ReaderSchema[];
  /** The MySQL database of its marks and of its own tables; its user there has the same name. */
  readonly database: string;
  /** Its own tables, which a rebuild empties in this order. */
  readonly tables: readonly string[];
}

/** Bytes for the headers that a retry or a dead letter adds to its source record. */
const routeHeaderRoom = 64 * 1024;

/** The group that reads the retry topics. */
export function retryGroupOf({ group }: Pick<ConsumerDefinition, 'group'>): string {
  return `${group}.retry`;
}

/** The retry topic of a tier of the group; tier 1 is for events that failed once. */
export function retryTopicName(group: string, tier: number): string {
  return `${group}.retry.${tier}`;
}

/** The tier of a retry topic of the group; undefined for any other topic. */
export function retryTierOf(group: string, topic: string): number | undefined {
  const tier = topic.startsWith(`${group}.retry.`) ? topic.slice(`${group}.retry.`.length) : '';
  return /^[1-9]\d{0,3}$/.test(tier) ? Number(tier) : undefined;
}

/** The DLQ of a group. */
export function deadLetterTopicName(group: string): string {
  return `${group}.dlq`;
}

/**
 * The retry topics, in the order of their tiers, then the DLQ: with the partitions of the source
 * and room for additional headers.
 */
export function groupTopics({ group, source, retryTiers }: ConsumerDefinition): TopicDefinition[] {
  const names = [
    ...Array.from({ length: retryTiers }, (_, index) => retryTopicName(group, index + 1)),
    deadLetterTopicName(group),
  ];
  const maxMessageBytes = String(
    Number(source.config['max.message.bytes'] ?? 1_048_576) + routeHeaderRoom,
  );
  return names.map((name) => ({
    ...source,
    name,
    config: { ...source.config, 'max.message.bytes': maxMessageBytes },
  }));
}
