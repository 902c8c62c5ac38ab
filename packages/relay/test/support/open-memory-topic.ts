import { keeperMemoryTopic } from '@board/contracts';
import { openAdmin } from '@board/kafka';
import { uniqueName, waitUntil, type StackAddresses } from '@board/test';

/** A keeper's memory of one test. */
export async function openMemoryTopic(
  stack: StackAddresses,
): Promise<{ name: string; close(): Promise<void> }> {
  const name = uniqueName('memory');
  const { partitions, replicationFactor, config } = keeperMemoryTopic;
  const admin = await openAdmin(stack);
  const configEntries = Object.entries(config).map(([key, value]) => ({ name: key, value }));
  await admin.createTopics({
    topics: [{ topic: name, numPartitions: partitions, replicationFactor, configEntries }],
    waitForLeaders: false,
  });
  await waitUntil('the leader of the memory', () => admin.fetchTopicOffsets(name));
  return {
    name,
    async close() {
      await admin.deleteTopics({ topics: [name] });
      await admin.disconnect();
    },
  };
}
