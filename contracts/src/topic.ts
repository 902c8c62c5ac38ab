/** A topic as `provision/` creates it. */
export interface TopicDefinition {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

/** Two copies must have a record before it counts as stored; none is ever expired. */
export const durable = {
  'min.insync.replicas': '2',
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
};
