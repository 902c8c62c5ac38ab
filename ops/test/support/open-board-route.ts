import { boardTopic, catalogConsumer, groupTopics, type TopicDefinition } from '@board/contracts';
import { connectApi, connectorTopics, defineConnector, registerConnector } from '@board/relay';
import { openAdmin } from '@board/kafka';
import type { Scope } from '@board/service';
import { waitUntil, type StackAddresses } from '@board/test';

/**
 * Creates a topic like `board` with the topics of one group, and a connector that ships a schema's
 * outbox to it.
 */
export async function openBoardRoute(
  stack: StackAddresses,
  scope: Scope,
  { name, database }: { readonly name: string; readonly database: string },
): Promise<TopicDefinition> {
  const topic = { ...boardTopic, name: `${name}.board` };
  const admin = await openAdmin(stack);
  scope.defer('admin', () => admin.disconnect());
  const topics = [topic, ...groupTopics({ ...catalogConsumer, group: name, source: topic })];
  await admin.createTopics({
    topics: topics.map(({ name: topicName, partitions, replicationFactor, config }) => ({
      topic: topicName,
      numPartitions: partitions,
      replicationFactor,
      configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
    })),
    waitForLeaders: false,
  });
  await waitUntil('leaders of the new topics', () =>
    Promise.all(topics.map((one) => admin.fetchTopicOffsets(one.name))),
  );

  const definition = defineConnector({
    name,
    database,
    serverId: 200_000 + Math.floor(Math.random() * 1_000_000),
    topic: topic.name,
  });
  scope.defer('topics', async () => {
    const existing = new Set(await admin.listTopics());
    const ours = [
      ...new Set([
        ...topics.map((one) => one.name),
        ...Object.values(connectorTopics(definition)).flat(),
      ]),
    ];
    await admin.deleteTopics({ topics: ours.filter((one) => existing.has(one)) });
  });
  await registerConnector({ connectUrl: stack.connectUrl, brokers: stack.brokers, definition });
  scope.defer('connector', () => connectApi(stack.connectUrl).remove(name));
  return topic;
}
