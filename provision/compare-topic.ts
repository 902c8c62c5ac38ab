import type { TopicDefinition } from '@board/contracts';

/** A topic as the brokers describe it. */
export interface ActualTopic {
  readonly partitions: number;
  /** One number per partition. */
  readonly replicationFactors: readonly number[];
  /** Every setting in force, defaults included. */
  readonly config: Readonly<Record<string, string>>;
  /** Names of the settings made on the topic itself. */
  readonly ownSettings: readonly string[];
}

export interface TopicDifference {
  readonly addPartitions: boolean;
  readonly alterConfig: boolean;
  /** What changes, one line each. */
  readonly lines: readonly string[];
  /** What Kafka cannot change in place, each with the way out. */
  readonly impossible: readonly string[];
}

/** Says what must change for a topic to be as it is defined. */
export function compareTopic(definition: TopicDefinition, actual: ActualTopic): TopicDifference {
  const { name, partitions, replicationFactor, config } = definition;
  const lines: string[] = [];
  const impossible: string[] = [];

  const addPartitions = actual.partitions < partitions;
  if (addPartitions) lines.push(`topic ${name}: partitions ${actual.partitions} -> ${partitions}`);
  if (actual.partitions > partitions) {
    impossible.push(
      `topic ${name} has ${actual.partitions} partitions, its definition says ${partitions}, and Kafka cannot take ` +
        `partitions away: raise the number in the definition, or delete the topic and run the setup again`,
    );
  }
  const wrong = actual.replicationFactors.find((factor) => factor !== replicationFactor);
  if (wrong !== undefined) {
    impossible.push(
      `topic ${name} has replication factor ${wrong}, its definition says ${replicationFactor}: move it with ` +
        `kafka-reassign-partitions, or delete the topic and run the setup again`,
    );
  }

  const configLines = [
    ...Object.entries(config)
      .filter(([key, value]) => actual.config[key] !== value)
      .map(
        ([key, value]) => `topic ${name}: ${key} ${actual.config[key] ?? 'unknown'} -> ${value}`,
      ),
    ...actual.ownSettings
      .filter((key) => !(key in config))
      .map(
        (key) => `topic ${name}: ${key} ${actual.config[key] ?? 'unknown'} -> the brokers' default`,
      ),
  ];
  return {
    addPartitions,
    alterConfig: configLines.length > 0,
    lines: [...lines, ...configLines],
    impossible,
  };
}
