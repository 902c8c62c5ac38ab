import type { AggregateDefinition } from './aggregate.ts';
import { boardAggregate } from './board.ts';
import { catalogConsumer } from './catalog.ts';
import { commentAggregate } from './comment.ts';
import { commentsConsumer } from './comments.ts';
import { groupTopics, type ConsumerDefinition } from './consumer.ts';
import { heartbeatTopic, keeperMemoryTopic, schemaHistoryTopic } from './relay-topics.ts';
import type { TopicDefinition } from './topic.ts';

/** Every kind of aggregate: add the next one here. */
export const aggregates: readonly AggregateDefinition[] = [boardAggregate, commentAggregate];

/** Every consumer: add the next one here. */
export const consumers: readonly ConsumerDefinition[] = [catalogConsumer, commentsConsumer];

/** Every topic that `provision/` creates, in this order. */
export const topics: readonly TopicDefinition[] = [
  // Before the aggregates' own: an event that fails in a partition which the retry topics do not have yet has to wait.
  ...consumers.flatMap(groupTopics),
  ...aggregates.map(({ topic }) => topic),
  heartbeatTopic,
  schemaHistoryTopic,
  keeperMemoryTopic,
];

/** Every schema that `provision/` registers. */
export const eventSchemas = aggregates.flatMap(({ schemas }) => schemas);
