import { catalogConsumer, groupTopics } from './consumers.ts';
import { boardTopic, heartbeatTopic, keeperMemoryTopic, schemaHistoryTopic, type TopicDefinition } from './topics.ts';

/** Every topic that `stack/setup` creates, in this order. */
export const topics: readonly TopicDefinition[] = [
  // Before `board`: an event that fails in a partition which the retry topics do not have yet has to wait.
  ...groupTopics(catalogConsumer),
  boardTopic,
  heartbeatTopic,
  schemaHistoryTopic,
  keeperMemoryTopic,
];
