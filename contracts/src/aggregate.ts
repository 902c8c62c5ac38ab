import { readFileSync } from 'node:fs';
import { durable, type TopicDefinition } from './topic.ts';

/** An Avro schema and the registry subject that keeps its versions. */
export interface EventSchema {
  readonly eventType: string;
  /** `<topic>-<full record name>` (the registry's topic-record strategy). */
  readonly subject: string;
  /** The Avro schema as JSON text. */
  readonly schema: string;
}

/** Every version of every subject must read every other one, old or new. */
export const schemaCompatibility = 'FULL_TRANSITIVE';

/**
 * All that is written down of a kind of aggregate: topics, rights, purge and audit follow from it.
 */
export interface AggregateDefinition {
  /** The outbox's `aggregatetype`, and so the name of its topic. */
  readonly type: string;
  readonly topic: TopicDefinition;
  readonly schemas: readonly EventSchema[];
  /** The MySQL database of the service that owns it, which also holds the outbox. */
  readonly database: string;
  /**
   * One row for each, with `id`, `version`, `created_at` and `deleted_at`: what is deleted stays,
   * for the audit.
   */
  readonly table: string;
}

/** The topic of a kind of aggregate: three copies, never expired, never compacted. */
export function defineEventTopic(type: string): TopicDefinition {
  return {
    name: type,
    partitions: 3,
    replicationFactor: 3,
    config: {
      ...durable,
      // With CreateTime, a record stamped more than an hour ahead (a wrong time zone is enough)
      // kills the connector.
      'message.timestamp.type': 'LogAppendTime',
      // What others compress is stored as it is, or refused where it is too large so: no consumer
      // meets a codec or a size that only decompression shows.
      'compression.type': 'uncompressed',
      'max.message.bytes': '1048576',
    },
  };
}

/** The schema of a type of event: the record `<type>.events.<eventType>` in a file of `avro/`. */
export function readEventSchema(type: string, eventType: string, file: string): EventSchema {
  const schema = readFileSync(new URL(`../avro/${file}`, import.meta.url), 'utf8');
  return { eventType, subject: `${type}-${type}.events.${eventType}`, schema };
}
