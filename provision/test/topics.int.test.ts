import { randomUUID } from 'node:crypto';
import { connectKafka, openAdmin } from '@board/kafka';
import { boardTopic, topics, type TopicDefinition } from '@board/contracts';
import kafkajs, { type Admin } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { createTopics } from '../topics.ts';

const { brokers } = inject('stack');

let admin: Admin;
let definition: TopicDefinition;
beforeEach(async () => {
  admin = await openAdmin({ brokers });
  definition = {
    name: `test-${randomUUID()}`,
    partitions: 2,
    replicationFactor: 3,
    config: { 'retention.ms': '-1', 'min.insync.replicas': '2' },
  };
});
afterEach(async () => {
  const existing = await admin.listTopics();
  if (existing.includes(definition.name)) await admin.deleteTopics({ topics: [definition.name] });
  await admin.disconnect();
});

async function setting(name: string): Promise<string | undefined> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: 2, name: definition.name }],
  });
  return resources[0]?.configEntries.find(({ configName }) => configName === name)?.configValue;
}

async function alter(config: Record<string, string>): Promise<void> {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: 2, name: definition.name, configEntries }],
  });
}

describe('createTopics', () => {
  it('has created all topics of the pipeline as they are defined: nothing is left to change', async () => {
    await createTopics(brokers);
    expect(await createTopics(brokers)).toEqual([]);
    const existing = await admin.listTopics();
    expect(topics.filter(({ name }) => !existing.includes(name))).toEqual([]);
  });

  it('defines board so that the brokers refuse what is small only while it is compressed', async () => {
    const name = definition.name;
    await createTopics(brokers, [{ ...boardTopic, name }]);
    const producer = connectKafka({ brokers }, 'test').producer({ retry: { retries: 0 } });
    await producer.connect();
    const send = (value: Buffer) =>
      producer.send({
        topic: name,
        compression: kafkajs.CompressionTypes.GZIP,
        messages: [{ value }],
      });
    await expect(send(Buffer.alloc(3_000_000, 'a'))).rejects.toThrow(
      'larger than the max message size',
    );
    await send(Buffer.alloc(300_000, 'a'));
    await producer.disconnect();
  });

  it('creates what is missing and leaves it alone the second time', async () => {
    expect(await createTopics(brokers, [definition])).toEqual([
      `topic ${definition.name}: created with 2 partition(s)`,
    ]);
    expect(await createTopics(brokers, [definition])).toEqual([]);
    expect(await setting('min.insync.replicas')).toBe('2');
  });

  it('repairs a changed, a lost and an added setting, and reports it', async () => {
    await createTopics(brokers, [definition]);
    await alter({ 'retention.ms': '60000', 'max.message.bytes': '1000' });
    const changes = await createTopics(brokers, [definition]);
    expect(changes.sort()).toEqual([
      `topic ${definition.name}: max.message.bytes 1000 -> the brokers' default`,
      `topic ${definition.name}: retention.ms 60000 -> -1`,
    ]);
    // Whichever broker is asked hears of it sooner or later.
    await expect.poll(() => setting('retention.ms')).toBe('-1');
    await expect.poll(() => setting('max.message.bytes')).not.toBe('1000');
    await expect.poll(() => createTopics(brokers, [definition])).toEqual([]);
  });

  it('adds partitions', async () => {
    await createTopics(brokers, [definition]);
    const wider = { ...definition, partitions: 3 };
    expect(await createTopics(brokers, [wider])).toEqual([
      `topic ${definition.name}: partitions 2 -> 3`,
    ]);
    await expect.poll(() => createTopics(brokers, [wider])).toEqual([]);
  });

  it('changes nothing when one topic cannot be repaired, and says what to do', async () => {
    await createTopics(brokers, [definition]);
    await alter({ 'retention.ms': '60000' });
    const wrong = { ...definition, replicationFactor: 2 };
    await expect(createTopics(brokers, [wrong])).rejects.toThrow(
      /replication factor 3.*kafka-reassign-partitions/,
    );
    expect(await setting('retention.ms')).toBe('60000');
  });

  it('says which brokers do not answer', async () => {
    await expect(createTopics(['127.0.0.1:9'])).rejects.toThrow(
      'no Kafka broker answers at 127.0.0.1:9',
    );
  });
});
