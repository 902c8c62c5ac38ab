import { createRequire } from 'node:module';
import { expect, it, vi } from 'vitest';
import './kafkajs-patches.ts';

const requireFrom = createRequire(import.meta.url);
const hour = 3_600_000;

it('a consumer sends heartbeats at their interval also after the clock was set back', async () => {
  const ConsumerGroup = requireFrom('kafkajs/src/consumer/consumerGroup');
  const beats: number[] = [];
  const group = new ConsumerGroup({
    instrumentationEmitter: { emit: () => undefined },
    logger: { namespace: () => ({}) },
    assigners: [],
  });
  group.memberId = 'm';
  group.coordinator = { heartbeat: () => Promise.resolve(beats.push(Date.now())) };
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 });
  try {
    await group.heartbeat({ interval: 3_000 });
    await group.heartbeat({ interval: 3_000 });
    expect(beats).toHaveLength(1);
    vi.setSystemTime(Date.now() - hour);
    await group.heartbeat({ interval: 3_000 });
    await group.heartbeat({ interval: 3_000 });
    expect(beats).toHaveLength(2);
    vi.setSystemTime(Date.now() + 3_000);
    await group.heartbeat({ interval: 3_000 });
    expect(beats).toHaveLength(3);
  } finally {
    vi.useRealTimers();
  }
});

it('a client asks for metadata at its age also after the clock was set back', async () => {
  const BrokerPool = requireFrom('kafkajs/src/cluster/brokerPool');
  const connectionPoolBuilder = { build: () => Promise.resolve({}) };
  const logger = { namespace: () => ({}) };
  const pool = new BrokerPool({ connectionPoolBuilder, logger, metadataMaxAge: 60_000 });
  let refreshed = 0;
  pool.metadata = { topicMetadata: [] };
  pool.refreshMetadata = () => Promise.resolve((refreshed += 1));
  pool.metadataExpireAt = Date.now() + 59_000;
  await pool.refreshMetadataIfNecessary([]);
  expect(refreshed).toBe(0);
  pool.metadataExpireAt = Date.now() + hour;
  await pool.refreshMetadataIfNecessary([]);
  expect(refreshed).toBe(1);
});
