import type { TopicDefinition } from '@board/contracts';
import { describe, expect, it } from 'vitest';
import { compareTopic, type ActualTopic } from './topics.ts';

const definition: TopicDefinition = {
  name: 't',
  partitions: 3,
  replicationFactor: 3,
  config: { 'retention.ms': '-1', 'cleanup.policy': 'delete' },
};
const actual: ActualTopic = {
  partitions: 3,
  replicationFactors: [3, 3, 3],
  config: { 'retention.ms': '-1', 'cleanup.policy': 'delete', 'segment.bytes': '1073741824' },
  ownSettings: ['retention.ms'],
};

describe('compareTopic', () => {
  it('finds nothing to change in a topic that is as defined', () => {
    expect(compareTopic(definition, actual)).toEqual({
      addPartitions: false,
      alterConfig: false,
      lines: [],
      impossible: [],
    });
  });

  it('reports a setting with another value as before and after', () => {
    const found = compareTopic(definition, {
      ...actual,
      config: { ...actual.config, 'retention.ms': '604800000' },
    });
    expect(found.alterConfig).toBe(true);
    expect(found.lines).toEqual(['topic t: retention.ms 604800000 -> -1']);
  });

  it('removes a setting that was added by hand', () => {
    const found = compareTopic(definition, {
      ...actual,
      ownSettings: ['retention.ms', 'segment.bytes'],
    });
    expect(found.alterConfig).toBe(true);
    expect(found.lines).toEqual(["topic t: segment.bytes 1073741824 -> the brokers' default"]);
  });

  it('adds partitions', () => {
    const found = compareTopic(definition, { ...actual, partitions: 1, replicationFactors: [3] });
    expect(found).toMatchObject({
      addPartitions: true,
      alterConfig: false,
      lines: ['topic t: partitions 1 -> 3'],
    });
  });

  it('reports that partitions cannot be removed, and what to do', () => {
    const found = compareTopic(definition, { ...actual, partitions: 4 });
    expect(found.impossible).toEqual([
      expect.stringMatching(/has 4 partitions.*raise the number in the definition/),
    ]);
  });

  it('reports that the replication factor cannot be changed in place, even that of a single partition', () => {
    const found = compareTopic(definition, { ...actual, replicationFactors: [3, 1, 3] });
    expect(found.impossible).toEqual([
      expect.stringMatching(/replication factor 1.*kafka-reassign-partitions/),
    ]);
  });
});
