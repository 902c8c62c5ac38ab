import { describe, expect, it } from 'vitest';
import {
  boardTopic,
  consumerFlag,
  consumers,
  heartbeatTopic,
  schemaHistoryTopic,
  topics,
} from './src/index.ts';

describe('topic definitions', () => {
  it('name every topic once', () => {
    const names = topics.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each([...topics])('$name survives the loss of one broker', ({ replicationFactor, config }) => {
    expect(replicationFactor).toBe(3);
    expect(config['min.insync.replicas']).toBe('2');
  });

  it('let board never expire, never compact it, and stamp it with the broker clock', () => {
    expect(boardTopic.config).toMatchObject({
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
      'retention.bytes': '-1',
      'message.timestamp.type': 'LogAppendTime',
    });
  });

  it('give the schema history one partition and let it never expire', () => {
    expect(schemaHistoryTopic.partitions).toBe(1);
    expect(schemaHistoryTopic.config).toMatchObject({
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
    });
  });

  it('include the heartbeat topic', () => {
    expect(topics).toContain(heartbeatTopic);
  });
});

it('a command needs the name of any consumer but the first', () => {
  const [first, ...others] = consumers.map(({ name }) => name);
  expect(consumerFlag(first ?? '')).toBe('');
  for (const name of others) expect(consumerFlag(name)).toBe(` --consumer ${name}`);
});
