import type { AggregateDefinition } from './aggregate.ts';
import { boardAggregate } from './board.ts';
import { catalogConsumer } from './catalog.ts';
import { commentAggregate } from './comment.ts';
import { commentsConsumer } from './comments.ts';
import { groupTopics, type ConsumerDefinition } from './consumer.ts';
import { heartbeatTopic, keeperMemoryTopic, schemaHistoryTopic } from './relay-topics.ts';
import type { TopicDefinition } from './topic.ts';

export * from './board.ts';
export * from './catalog.ts';
export * from './comment.ts';
export * from './comments.ts';

/** Every kind of aggregate: add the next one here. */
export const aggregates: readonly AggregateDefinition[] = [boardAggregate, commentAggregate];

/** Every consumer: add the next one here. */
export const consumers: readonly ConsumerDefinition[] = [catalogConsumer, commentsConsumer];

/**
 * The consumers, some with tables in another database of the same server: `catalog=copy`, more of
 * them after commas. Undefined when the text is not of this form, or names a consumer that is not
 * there.
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
 * What the operator's commands need to be about this consumer, with a space before it: nothing for
 * the first.
 */
export function consumerFlag(name: string): string {
  return consumers.slice(1).some((consumer) => consumer.name === name) ? ` --consumer ${name}` : '';
}

/** Every topic that `provision/` creates, in this order. */
export const topics: readonly TopicDefinition[] = [
  // Before the aggregates' own: an event that fails in a partition which the retry topics do not
  // have yet has to wait.
  ...consumers.flatMap(groupTopics),
  ...aggregates.map(({ topic }) => topic),
  heartbeatTopic,
  schemaHistoryTopic,
  keeperMemoryTopic,
];

/** Every schema that `provision/` registers. */
export const eventSchemas = aggregates.flatMap(({ schemas }) => schemas);
