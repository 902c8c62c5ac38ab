import type { TopicDefinition } from './topics.ts';

/** A retried or dead record is its source record plus headers. */
const routeHeaderRoom = 64 * 1024;

/** Retry topic of a group; tier 1 holds what failed once. */
export function retryTopicName(group: string, tier: number): string {
  return `${group}.retry.${tier}`;
}

export function deadLetterTopicName(group: string): string {
  return `${group}.dlq`;
}

/** The topics that one consumer group owns beside the source topic that it reads: same partitions, room for the headers it adds. */
export function groupTopics(group: string, source: TopicDefinition, retryTiers = 3): TopicDefinition[] {
  const names = [
    ...Array.from({ length: retryTiers }, (_, index) => retryTopicName(group, index + 1)),
    deadLetterTopicName(group),
  ];
  const maxMessageBytes = String(Number(source.config['max.message.bytes'] ?? 1_048_576) + routeHeaderRoom);
  return names.map((name) => ({ ...source, name, config: { ...source.config, 'max.message.bytes': maxMessageBytes } }));
}
