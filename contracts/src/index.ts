export * from './aggregate.ts';
export * from './consumer.ts';
export * from './headers.ts';
export * from './pipeline.ts';
export * from './relay-topics.ts';
export type { TopicDefinition } from './topic.ts';
