import { groupTopics } from './group-topics.ts';
import {
  boardTopic,
  catalogGroup,
  heartbeatTopic,
  keeperMemoryTopic,
  schemaHistoryTopic,
  type TopicDefinition,
} from './topics.ts';

/** Every topic that `stack/setup` creates, in this order. */
export const topics: readonly TopicDefinition[] = [
  // Before `board`: an event that fails in a partition which the retry topics do not have yet has to wait.
  ...groupTopics(catalogGroup, boardTopic),
  boardTopic,
  heartbeatTopic,
  schemaHistoryTopic,
  keeperMemoryTopic,
];
