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

  it('board NEVER expires, is NEVER compacted and takes the broker clock', () => {
    expect(boardTopic.config).toMatchObject({
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
      'retention.bytes': '-1',
      'message.timestamp.type': 'LogAppendTime',
    });
  });

  it('the schema history has one partition and NEVER expires', () => {
    expect(schemaHistoryTopic.partitions).toBe(1);
    expect(schemaHistoryTopic.config).toMatchObject({
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
    });
  });

  it('the heartbeat topic is among those that are created', () => {
    expect(topics).toContain(heartbeatTopic);
  });
});

it('a command about the first consumer needs no name, one about any other does', () => {
  const [first, ...others] = consumers.map(({ name }) => name);
  expect(consumerFlag(first ?? '')).toBe('');
  for (const name of others) expect(consumerFlag(name)).toBe(` --consumer ${name}`);
});
