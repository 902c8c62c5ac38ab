import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import {
  connectApi,
  connectorTopics,
  createIncident,
  registerConnector,
  relayMemory,
  type ConnectorDefinition,
  type RelayMemoryStore,
} from '../src/index.ts';
import { connectKafka, openAdmin, openCompactedTopic } from '@board/kafka';
import { countRecords } from '../src/index.ts';
import { openMemoryTopic } from './support/open-memory-topic.ts';
import { openTemporaryOutbox, type TemporaryOutbox } from './support/open-temporary-outbox.ts';

const stack = inject('stack');
const { connectUrl, brokers } = stack;
const api = connectApi(connectUrl);

let outbox: TemporaryOutbox;
beforeEach(async () => {
  outbox = await openTemporaryOutbox(stack);
});
afterEach(() => outbox.close());

async function register(definition: ConnectorDefinition, timeoutMs = 40_000): Promise<string[]> {
  const lines: string[] = [];
  await registerConnector({
    connectUrl,
    brokers,
    definition,
    timeoutMs,
    onProgress: (line) => lines.push(line),
  });
  return lines;
}

async function heartbeats(): Promise<bigint> {
  const admin = await openAdmin({ brokers });
  try {
    return (await countRecords(admin, [connectorTopics(outbox.definition).heartbeat])) ?? 0n;
  } finally {
    await admin.disconnect();
  }
}

describe('registerConnector', () => {
  describe('beside a keeper', () => {
    const finding = { reason: 'wrong columns', fence: 'open', held: true } as const;
    const hold = () => ({ incident: createIncident(finding, new Date()) });
    let memoryTopic: Awaited<ReturnType<typeof openMemoryTopic>>;
    let memory: RelayMemoryStore;
    let lines: string[];
    let onProgress: (line: string) => void;
    const registerBeside = (definition: ConnectorDefinition) =>
      registerConnector({
        connectUrl,
        brokers,
        definition,
        timeoutMs: 40_000,
        memoryTopic: memoryTopic.name,
        onProgress: (line) => {
          lines.push(line);
          onProgress(line);
        },
      });
    beforeEach(async () => {
      memoryTopic = await openMemoryTopic(stack);
      const topic = openCompactedTopic(connectKafka(stack, 'test-register'), memoryTopic.name);
      memory = relayMemory(topic, outbox.definition.name);
      lines = [];
      onProgress = () => undefined;
    });
    afterEach(async () => {
      await memory.close();
      await memoryTopic.close();
    });

    it('does not create again what is held, although it was deleted', async () => {
      await memory.remember(hold());
      expect(await registerBeside(outbox.definition)).toBe('held');
      expect(lines).toEqual([
        expect.stringContaining('is not created, the keeper has stopped it: wrong columns'),
      ]);
      expect(await api.getConfig(outbox.definition.name)).toBeUndefined();
    });

    it('does not resume what is held since its configuration began to change', async () => {
      const { name } = outbox.definition;
      // Connects the memory: the hold is written while Connect ends the task.
      await memory.remember({ purged: { at: new Date(0).toISOString(), rows: 0, keys: 0 } });
      expect(await registerBeside(outbox.definition)).toBe('ships');
      let written: Promise<void> | undefined;
      onProgress = (line) => {
        if (line.includes('~ poll.interval.ms')) written ??= memory.remember(hold());
      };
      const changed = { ...outbox.definition, 'poll.interval.ms': '20' };
      expect(await registerBeside(changed)).toBe('held');
      await written;
      expect((await api.getStatus(name))?.connector.state).toBe('STOPPED');
      expect(lines.at(-1)).toContain('stays STOPPED, the keeper has stopped it: wrong columns');
    });
  });

  it('returns only when a record has arrived in Kafka, although no row was written', async () => {
    const lines = await register(outbox.definition);
    expect(lines.at(-1)).toContain('a record has arrived');
    expect(await heartbeats()).toBeGreaterThan(0n);
  });

  it('changes nothing when called again and waits for a new record, on an idle server too', async () => {
    await register(outbox.definition);
    // What the start itself left to send could pass for the second proof, but not for the third.
    await register(outbox.definition);
    const before = await heartbeats();
    const lines = await register(outbox.definition, 20_000);
    expect(lines).toContain(`${outbox.definition.name}: configuration unchanged`);
    expect(await heartbeats()).toBeGreaterThan(before);
  });

  it('reports what it changes, and changes it', async () => {
    await register(outbox.definition);
    const changed = { ...outbox.definition, 'poll.interval.ms': '20' };
    const lines = await register(changed);
    expect(lines).toContain(`${outbox.definition.name}: ~ poll.interval.ms: 10 -> 20`);
    expect(await api.getConfig(changed.name)).toEqual(changed);
  });

  it('resumes a connector that was stopped', async () => {
    await register(outbox.definition);
    await api.stop(outbox.definition.name);
    expect(await register(outbox.definition)).toContain(
      `${outbox.definition.name}: resumed, it was STOPPED`,
    );
  });

  it('refuses a definition that MySQL denies access, and registers nothing', async () => {
    const broken = {
      ...outbox.definition,
      'database.hostname': '127.0.0.1',
      'database.password': 'wrong',
    };
    await expect(register(broken)).rejects.toThrow(/nothing was changed[\s\S]*Access denied/);
    expect(await api.getConfig(broken.name)).toBeUndefined();
  });

  it('names the log that has the reason when Connect does not report it', async () => {
    const broken = { ...outbox.definition, 'database.password': 'wrong' };
    await expect(register(broken)).rejects.toThrow("in the Connect worker's log");
  });

  it('restarts a failed task once and then throws its trace', async () => {
    const broken = { ...outbox.definition, 'topic.creation.default.replication.factor': '9' };
    const lines: string[] = [];
    const registering = registerConnector({
      connectUrl,
      brokers,
      definition: broken,
      onProgress: (line) => lines.push(line),
    });
    await expect(registering).rejects.toThrow(/also after a restart:[\s\S]*replication factor/i);
    expect(lines.filter((line) => line.includes('restarting it once'))).toHaveLength(1);
  });

  it('fails for a connector that says RUNNING while its topics are missing', async () => {
    const silent = Object.fromEntries(
      Object.entries(outbox.definition).filter(([key]) => !key.startsWith('topic.creation.')),
    ) as ConnectorDefinition;
    await expect(register(silent, 10_000)).rejects.toThrow(
      /says RUNNING, but nothing arrives in Kafka/,
    );
  });

  it('names the address that does not answer', async () => {
    const registering = registerConnector({
      connectUrl: 'http://127.0.0.1:9',
      brokers,
      definition: outbox.definition,
    });
    await expect(registering).rejects.toThrow('Connect does not answer at http://127.0.0.1:9');
  });
});
