import { setTimeout as delay } from 'node:timers/promises';
import { topics as pipelineTopics, type TopicDefinition } from '@board/contracts';
import { openAdmin } from '@board/kafka';
import type { Admin } from 'kafkajs';

const brokersTimeoutMs = 60_000;
// The default of 5 s is short where the brokers still make their first topics; the client gives up
// after 15 s.
const creationTimeoutMs = 12_000;
const topicResource = 2;
const dynamicTopicConfig = 1;

/**
 * Creates missing topics, repairs the config of the others, and returns one line for each thing it
 * changed.
 */
export async function createTopics(
  brokers: readonly string[],
  definitions: readonly TopicDefinition[] = pipelineTopics,
): Promise<string[]> {
  const admin = await openAdmin({ brokers });
  try {
    await waitForBrokers(
      admin,
      Math.max(0, ...definitions.map((definition) => definition.replicationFactor)),
    );
    const existing = new Set(await admin.listTopics());
    const missing = definitions.filter(({ name }) => !existing.has(name));
    const present = definitions.filter(({ name }) => existing.has(name));
    return [...(await create(admin, missing)), ...(await repair(admin, present))];
  } finally {
    await admin.disconnect();
  }
}

/**
 * A cluster that is still starting answers "invalid replication factor" until enough brokers are
 * there.
 */
async function waitForBrokers(admin: Admin, count: number): Promise<void> {
  const deadline = Date.now() + brokersTimeoutMs;
  for (;;) {
    const { brokers } = await admin.describeCluster();
    if (brokers.length >= count) return;
    if (Date.now() > deadline) {
      throw new Error(
        `Kafka has ${brokers.length} of ${count} brokers after ${brokersTimeoutMs / 1000} s`,
      );
    }
    await delay(250);
  }
}

async function create(admin: Admin, definitions: readonly TopicDefinition[]): Promise<string[]> {
  if (definitions.length === 0) return [];
  await admin.createTopics({
    waitForLeaders: false,
    timeout: creationTimeoutMs,
    topics: definitions.map(({ name, partitions, replicationFactor, config }) => ({
      topic: name,
      numPartitions: partitions,
      replicationFactor,
      configEntries: configEntries(config),
    })),
  });
  for (const { name } of definitions) await waitForLeaders(admin, name);
  return definitions.map(
    ({ name, partitions }) => `topic ${name}: created with ${partitions} partition(s)`,
  );
}

/**
 * kafkajs's own wait fails at once when the broker that it asks has not heard of the new topic yet.
 */
async function waitForLeaders(admin: Admin, topic: string): Promise<void> {
  const deadline = Date.now() + brokersTimeoutMs;
  for (;;) {
    try {
      await admin.fetchTopicOffsets(topic);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(250);
    }
  }
}

async function repair(admin: Admin, definitions: readonly TopicDefinition[]): Promise<string[]> {
  const changes: string[] = [];
  const compared = [];
  for (const definition of definitions) {
    compared.push({
      definition,
      difference: compareTopic(definition, await describe(admin, definition.name)),
    });
  }
  const impossible = compared.flatMap(({ difference }) => difference.impossible);
  // Refused as a whole, before the first change: half a repair would hide what is wrong.
  if (impossible.length > 0) throw new Error(impossible.join('\n'));

  for (const { definition, difference } of compared) {
    if (difference.addPartitions) {
      await admin.createPartitions({
        topicPartitions: [{ topic: definition.name, count: definition.partitions }],
      });
    }
    if (difference.alterConfig) {
      // This call replaces all of a topic's own settings, so it always carries the whole
      // definition.
      await admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: topicResource,
            name: definition.name,
            configEntries: configEntries(definition.config),
          },
        ],
      });
    }
    changes.push(...difference.lines);
  }
  return changes;
}

async function describe(admin: Admin, name: string): Promise<ActualTopic> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
  const partitions = topics[0]?.partitions ?? [];
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: topicResource, name }],
  });
  const entries = resources[0]?.configEntries ?? [];
  return {
    partitions: partitions.length,
    replicationFactors: partitions.map(({ replicas }) => replicas.length),
    config: Object.fromEntries(
      entries.map(({ configName, configValue }) => [configName, configValue]),
    ),
    ownSettings: entries.filter(isOwnSetting).map(({ configName }) => configName),
  };
}

function isOwnSetting(entry: object): boolean {
  return 'configSource' in entry && entry.configSource === dynamicTopicConfig;
}

function configEntries(
  config: Readonly<Record<string, string>>,
): { name: string; value: string }[] {
  return Object.entries(config).map(([name, value]) => ({ name, value }));
}

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

/** What must change for a topic to be as it is defined. */
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
