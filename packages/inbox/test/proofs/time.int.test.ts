import { logLevel, Kafka } from 'kafkajs';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { startTcpProxy, waitUntil, type TcpProxy } from '@board/test';
import { describe, expect, inject, it, type TestContext } from 'vitest';
import { spawnConsumer } from '../support/consumer-process.ts';
import { openInboxLab, type InboxLab } from '../support/inbox-lab.ts';
import { retryLag } from '../support/lag.ts';
import { appliedVersions, thingLogHandler } from '../support/thing-log.ts';

/** Far below the defaults, so that a few seconds are longer than the limit. */
const limitMs = 6_000;
/** Shorter than a session: a new place in the group would take as long again. */
const outageMs = 8_000;
/**
 * The watchdog checks while this event still waits: within its limit, if the outage before it does
 * not count.
 */
const slow = { aggregateId: 'a', forMs: 1_600 };

async function openLab({ onTestFinished }: TestContext): Promise<InboxLab> {
  const lab = await openInboxLab(inject('stack'));
  onTestFinished(() => lab.close());
  return lab;
}

const applied = (lab: InboxLab, count: number) =>
  waitUntil(
    `${count} applied`,
    async () => (await appliedVersions(lab.schema.root)).size === count,
    {
      timeoutMs: 40_000,
    },
  );
const things = (lab: InboxLab, ...ids: string[]) => ids.map((id) => lab.thing(id, 1));

/**
 * The watchdog has checked every partition by then, without lag; a check leaves no trace that a
 * test could wait for.
 */
const watched = () => wait(limitMs / 3);

async function members(lab: InboxLab): Promise<string[]> {
  const admin = lab.kafka.admin();
  await admin.connect();
  try {
    const { groups } = await admin.describeGroups([lab.group, `${lab.group}.retry`]);
    return groups.flatMap((group) => group.members.map(({ memberId }) => memberId)).toSorted();
  } finally {
    await admin.disconnect();
  }
}

/**
 * A client whose every connection goes through a proxy: brokers give clients their own addresses.
 */
async function proxied({
  onTestFinished,
}: TestContext): Promise<{ kafka: Kafka; proxies: readonly TcpProxy[] }> {
  const proxies = new Map<string, TcpProxy>();
  const { brokers } = inject('stack');
  for (const broker of brokers) {
    const [host = '', port] = broker.split(':');
    proxies.set(broker, await startTcpProxy({ host, port: Number(port) }));
  }
  onTestFinished(async () => {
    for (const proxy of proxies.values()) await proxy.close();
  });
  const kafka = new Kafka({
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    requestTimeout: 3_000,
    retry: { initialRetryTime: 200, maxRetryTime: 2_000, retries: 10 },
    socketFactory({ host, port, onConnect }) {
      const proxy = proxies.get(`${host}:${port}`);
      if (!proxy) throw new Error(`no proxy for ${host}:${port}`);
      return connect({ host: proxy.host, port: proxy.port }, onConnect);
    },
  });
  return { kafka, proxies: [...proxies.values()] };
}

// Side by side: what takes time here is waiting.
describe.concurrent('a consumer', { timeout: 120_000 }, () => {
  it('that was stopped for longer than its limits goes on and catches up', async (test) => {
    const lab = await openLab(test);
    const nothing = { aggregateId: '', version: 0 };
    const consumer = spawnConsumer(lab, {
      failFirst: nothing,
      slow,
      maxBlockedMs: limitMs,
      settings: { maxStallMs: limitMs },
    });
    test.onTestFinished(() => consumer.kill());
    await lab.produce(things(lab, 'before'));
    await applied(lab, 1);
    await watched();
    consumer.signal('SIGSTOP');
    await lab.produce(things(lab, 'a', 'b', 'c', 'd', 'e'));
    await wait(outageMs);
    consumer.signal('SIGCONT');
    await applied(lab, 6);
    await wait(limitMs);
    await lab.produce(things(lab, 'after'));
    await applied(lab, 7);
    expect(consumer.isRunning()).toBe(true);
  });

  it('whose brokers were silent for longer than its limit goes on and catches up', async (test) => {
    // Before the lab, so that it is closed after it.
    const { kafka, proxies } = await proxied(test);
    const lab = await openLab(test);
    const { failure } = await lab.start(
      thingLogHandler({
        sabotage: ({ aggregateId }) => aggregateId === slow.aggregateId && wait(slow.forMs),
      }),
      { kafka, settings: { maxStallMs: limitMs } },
    );
    await lab.produce(things(lab, 'before'));
    await applied(lab, 1);
    await watched();
    for (const proxy of proxies) proxy.set({ kind: 'half-open', drop: 'both' });
    await lab.produce(things(lab, 'a', 'b', 'c', 'd', 'e'));
    await wait(outageMs);
    for (const proxy of proxies) proxy.set({ kind: 'reset' });
    for (const proxy of proxies) proxy.set({ kind: 'none' });
    await applied(lab, 6);
    expect(failure()).toBeUndefined();
  });

  it('whose clock is set back by an hour keeps its place in its groups and retries in time', async (test) => {
    const lab = await openLab(test);
    const consumer = spawnConsumer(lab, {
      failFirst: { aggregateId: 'fails', version: 1 },
      settings: { retryBaseMs: 2_000 },
    });
    test.onTestFinished(() => consumer.kill());
    await lab.produce(things(lab, 'before'));
    await applied(lab, 1);
    const before = await waitUntil('both consumers have joined', async () => {
      const all = await members(lab);
      return all.length === 2 && all;
    });
    await lab.produce(things(lab, 'fails'));
    await waitUntil('the retry waits', async () => (await retryLag(lab)) > 0n);
    consumer.signal('SIGUSR2');
    await applied(lab, 2);
    // Longer than a session lasts without a heartbeat.
    await wait(12_000);
    expect(await members(lab)).toEqual(before);
    await lab.produce(things(lab, 'after'));
    await applied(lab, 3);
  });
});
