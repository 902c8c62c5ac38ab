import { boardAggregate, catalogConsumer } from './board.ts';
import { commentAggregate, commentsConsumer } from './comment.ts';
import {
  groupTopics,
  type AggregateDefinition,
  type ConsumerDefinition,
  type TopicDefinition,
} from './definitions.ts';
import { heartbeatTopic, keeperMemoryTopic, schemaHistoryTopic } from './relay.ts';

export * from './board.ts';
export * from './comment.ts';

/** Every kind of aggregate: add the next one here. */
export const aggregates: readonly AggregateDefinition[] = [boardAggregate, commentAggregate];

/** Every consumer: add the next one here. */
export const consumers: readonly ConsumerDefinition[] = [catalogConsumer, commentsConsumer];

/**
 * The consumers, some with tables in another database of the same server: `catalog=copy`, several
 * with commas between. Undefined when the text is not of this form or names an unknown consumer.
 */
export function moveConsumers(text: string): readonly ConsumerDefinition[] | undefined {
  const moved = text.split(',').map((part) => /^([\w-]+)=(\w{1,64})$/.exec(part));
  const databases = new Map(
    moved.flatMap((match) => (match ? [[match[1], match[2]] as const] : [])),
  );
  const isKnown = (name: string | undefined): boolean =>
    consumers.some((consumer) => consumer.name === name);
  if (databases.size !== moved.length || ![...databases.keys()].every(isKnown)) return undefined;
  return consumers.map((consumer) => ({
    ...consumer,
    database: databases.get(consumer.name) ?? consumer.database,
  }));
}

/**
 * The option that names this consumer to the operator's commands, with a space before it; empty for
 * the first consumer, which is their default.
 */
export function consumerFlag(name: string): string {
  return consumers.slice(1).some((consumer) => consumer.name === name) ? ` --consumer ${name}` : '';
}

/** Every topic that `provision/` creates, in this order. */
export const topics: readonly TopicDefinition[] = [
  // Must come before the aggregates' topics: an event that fails in a partition that the retry
  // topics do not have yet has to wait.
  ...consumers.flatMap(groupTopics),
  ...aggregates.map(({ topic }) => topic),
  heartbeatTopic,
  schemaHistoryTopic,
  keeperMemoryTopic,
];

/** Every schema that `provision/` registers. */
export const eventSchemas = aggregates.flatMap(({ schemas }) => schemas);
