import { groupTopics, type TopicDefinition } from '@board/contracts';

/** Where an event of one consumer group can be on its way. */
export interface AuditedTopics {
  readonly group: string;
  readonly source: string;
  /** In the order in which a failing event goes through them. */
  readonly retries: readonly string[];
}

export function auditedTopics(group: string, source: TopicDefinition): AuditedTopics {
  const retries = groupTopics(group, source)
    .map(({ name }) => name)
    .filter((name) => name.includes('.retry.'));
  return { group, source: source.name, retries };
}

export function retryGroupOf({ group }: AuditedTopics): string {
  return `${group}.retry`;
}
