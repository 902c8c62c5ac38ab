import { deadLetterTopicName, retryTopicName } from '@board/contracts';
import { expect, inject, it, onTestFinished } from 'vitest';
import { openInboxLab } from './support/inbox-lab.ts';
import { commitOffset } from './support/commit-offset.ts';
import { trimRetries } from '../src/operator/topics.ts';

it("deletes processed records of the retry topics, never beyond the group's committed offset, and no other topic's", async () => {
  const lab = await openInboxLab(inject('stack'));
  onTestFinished(lab.close);
  const admin = lab.kafka.admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  const [first, second, deadLetters] = [
    retryTopicName(lab.group, 1),
    retryTopicName(lab.group, 2),
    deadLetterTopicName(lab.group),
  ];
  const ten = Array.from({ length: 10 }, (_, n) => ({ ...lab.thing('a', n + 1), partition: 0 }));
  for (const topic of [first, second, deadLetters, lab.topic]) await lab.produce(ten, topic);
  const held = async (topic: string) => {
    const [partition] = (await admin.fetchTopicOffsets(topic)).filter((one) => one.partition === 0);
    return `${partition?.low}-${partition?.high}`;
  };

  // Nothing is committed: to Kafka the same number means "delete everything".
  expect(await trimRetries(lab.kafka, lab.consumer)).toBe(0);
  expect([await held(first), await held(second)]).toEqual(['0-10', '0-10']);

  const commit = (groupId: string, topic: string, offset: string) =>
    commitOffset(lab.kafka, groupId, { topic, partition: 0, offset });
  await commit(`${lab.group}.retry`, first, '4');
  // Of the groups only the one that reads the retry topics counts.
  await commit(lab.group, lab.topic, '10');
  await commit(lab.group, second, '10');
  expect(await trimRetries(lab.kafka, lab.consumer)).toBe(4);
  expect(await trimRetries(lab.kafka, lab.consumer)).toBe(0);
  expect([await held(first), await held(second)]).toEqual(['4-10', '0-10']);
  expect([await held(deadLetters), await held(lab.topic)]).toEqual(['0-10', '0-10']);

  await commit(`${lab.group}.retry`, first, '10');
  const [one, two] = await Promise.all([
    trimRetries(lab.kafka, lab.consumer),
    trimRetries(lab.kafka, lab.consumer),
  ]);
  expect(Math.max(one, two)).toBe(6);
  expect(await held(first)).toBe('10-10');
});
