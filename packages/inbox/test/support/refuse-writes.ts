import { ConfigResourceTypes, type Kafka } from 'kafkajs';
import { testTopic } from './thing-codec.ts';

/**
 * Makes the brokers refuse every record of a topic; the returned function makes them take records
 * again.
 */
export async function refuseWrites(kafka: Kafka, topic: string): Promise<() => Promise<void>> {
  async function alter(config: Readonly<Record<string, string>>): Promise<void> {
    const admin = kafka.admin();
    await admin.connect();
    try {
      const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
      await admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
      });
    } finally {
      await admin.disconnect();
    }
  }
  const { config } = testTopic(topic);
  await alter({ ...config, 'max.message.bytes': '1' });
  return () => alter(config);
}
