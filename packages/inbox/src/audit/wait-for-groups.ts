import { setTimeout as delay } from 'node:timers/promises';
import { createElapsedClock } from '@board/service-kit';
import type { Kafka } from 'kafkajs';
import { nextOffset, openLagProbe, type PartitionPosition } from '../consume/lag-probe.ts';
import type { AuditedTopics } from './audited-topics.ts';
import type { Barrier } from './audit-consumer.ts';

const pollMs = 200;

/** Waits until source and retry group have committed past what their topics hold now. */
export async function waitForGroups(kafka: Kafka, topics: AuditedTopics, timeoutMs: number): Promise<Barrier> {
  const clock = createElapsedClock();
  try {
    const isOver = (): boolean => clock.now() >= timeoutMs;
    const source = await waitForGroup(kafka, topics.group, [topics.source], isOver);
    if (source !== 'passed') return source;
    // The retry topics' ends only now: what the source group has failed by now is in them.
    return await waitForGroup(kafka, topics.retryGroup, topics.retries, isOver);
  } finally {
    clock.stop();
  }
}

async function waitForGroup(
  kafka: Kafka,
  group: string,
  topics: readonly string[],
  isOver: () => boolean,
): Promise<Barrier> {
  const probe = await openLagProbe(kafka, group, topics);
  try {
    const ends = new Map((await probe.read()).map((position) => [nameOf(position), position.end]));
    for (;;) {
      const behind = (await probe.read()).filter((one) => nextOffset(one) < (ends.get(nameOf(one)) ?? 0n));
      const [first] = behind;
      if (first === undefined) return 'passed';
      if (isOver()) {
        const records = (ends.get(nameOf(first)) ?? 0n) - nextOffset(first);
        return { cannotTell: `the group ${group} has ${records} records of ${nameOf(first)} still to settle` };
      }
      await delay(pollMs);
    }
  } finally {
    await probe.close();
  }
}

function nameOf({ topic, partition }: PartitionPosition): string {
  return `${topic}/${partition}`;
}
