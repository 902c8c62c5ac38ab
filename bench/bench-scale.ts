import { openInboxLab, spawnConsumer, type InboxLab } from '@board/inbox/testing';
import { waitUntil, type StackAddresses } from '@board/test';
import type { Comparison } from './print-comparison.ts';

const versions = 10;
const payload = 'x'.repeat(200);
/** Of the topic: a further instance would have nothing to read. */
const partitions = 3;
/** Share of the records that is not timed: processes start and groups form meanwhile. */
const warmUpShare = 0.2;

/** Applies a backlog with 1, 2 and 3 instances, each a process of its own, in turn. */
export async function benchScale(
  stack: StackAddresses,
  { rounds, records }: { rounds: number; records: number },
): Promise<Comparison> {
  const counts = Array.from({ length: partitions }, (_, index) => index + 1);
  const rates = new Map(counts.map((count) => [count, [] as number[]]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const [count, figures] of rates) {
      const rate = await measure(stack, count, records);
      figures.push(rate);
      console.error(`round ${round}/${rounds}: ${count} instance(s): ${Math.round(rate)} events/s`);
    }
  }
  const contender = (count: number) => ({
    name: `${count} instance(s)`,
    rates: rates.get(count) ?? [],
  });
  const [first = 1, ...more] = counts;
  return {
    title: `Applying a backlog from ${partitions} partitions, events a second`,
    baseline: contender(first),
    contenders: more.map(contender),
  };
}

async function measure(stack: StackAddresses, instances: number, records: number): Promise<number> {
  const lab = await openInboxLab(stack);
  try {
    const aggregates = Math.round(records / versions);
    for (let version = 1; version <= versions; version += 1)
      await lab.produce(
        Array.from({ length: aggregates }, (_, n) =>
          lab.thing(`thing-${n}`, version, { text: payload }),
        ),
      );
    const total = aggregates * versions;
    const failFirst = { aggregateId: 'none', version: 0 };
    const consumers = Array.from({ length: instances }, () => spawnConsumer(lab, { failFirst }));
    try {
      const start = { at: 0, applied: 0 };
      await waitUntil('warm', async () => {
        start.applied = await countApplied(lab);
        start.at = performance.now();
        return start.applied >= total * warmUpShare;
      });
      await waitUntil('all applied', async () => (await countApplied(lab)) === total, {
        timeoutMs: 300_000,
      });
      return (total - start.applied) / ((performance.now() - start.at) / 1_000);
    } finally {
      await Promise.all(consumers.map((consumer) => consumer.kill()));
    }
  } finally {
    await lab.close();
  }
}

async function countApplied(lab: InboxLab): Promise<number> {
  const [row] = await lab.rows<{ n: string }>('SELECT COUNT(*) AS n FROM thing_log');
  return Number(row?.n);
}
