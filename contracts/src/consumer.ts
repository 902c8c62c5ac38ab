import type { TopicDefinition } from './topic.ts';

/** An event type that a consumer reads, and the Avro schema that it was written for. */
export interface ReaderSchema {
  readonly eventType: string;
  /** Under which the registry keeps the versions of its schema. */
  readonly subject: string;
  /** JSON text. */
  readonly schema: string;
}

/**
 * All that is written down of a consumer: its groups, topics, rights, subscriptions, audit and
 * repairs follow from it.
 */
export interface ConsumerDefinition {
  /** What operators call it. */
  readonly name: string;
  /** Of the consumers of the source topic; also the consumer's name in its tables. */
  readonly group: string;
  readonly source: TopicDefinition;
  /** The one kind of aggregate whose events the source topic carries. */
  readonly aggregateType: string;
  /**
   * So many retry topics: an event that fails is tried again after each, in turn, before it becomes
   * a dead letter.
   */
  readonly retryTiers: number;
  readonly schemas: readonly ReaderSchema[];
  /** The MySQL database of its marks and of its own tables; its user there has the same name. */
  readonly database: string;
  /** Its own tables: what a rebuild empties, in this order. */
  readonly tables: readonly string[];
}

/** A retried or dead record is its source record plus headers. */
const routeHeaderRoom = 64 * 1024;

/** The group that reads the retry topics. */
export function retryGroupOf({ group }: Pick<ConsumerDefinition, 'group'>): string {
  return `${group}.retry`;
}

/** Retry topic of a group; tier 1 holds what failed once. */
export function retryTopicName(group: string, tier: number): string {
  return `${group}.retry.${tier}`;
}

/** The tier of a retry topic of the group; undefined when it is none. */
export function retryTierOf(group: string, topic: string): number | undefined {
  const tier = topic.startsWith(`${group}.retry.`) ? topic.slice(`${group}.retry.`.length) : '';
  return /^[1-9]\d{0,3}$/.test(tier) ? Number(tier) : undefined;
}

export function deadLetterTopicName(group: string): string {
  return `${group}.dlq`;
}

/**
 * The retry topics, in the order of their tiers, then the DLQ: partitions as the source, room for
 * the headers they add.
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
