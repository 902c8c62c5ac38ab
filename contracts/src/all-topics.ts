import { groupTopics } from './group-topics.ts';
import { boardTopic, catalogGroup, heartbeatTopic, schemaHistoryTopic, type TopicDefinition } from './topics.ts';

/** Every topic that `stack/setup` creates. */
export const topics: readonly TopicDefinition[] = [
  boardTopic,
  heartbeatTopic,
  schemaHistoryTopic,
  ...groupTopics(catalogGroup, boardTopic),
];
