import { retryTopicName } from '@board/contracts';
import { readTopic, startTcpProxy, type TcpProxy } from '@board/test';
import { Kafka, logLevel } from 'kafkajs';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import type { RoutedRecord } from '../../src/fail/publisher.ts';
import { connectPublisher } from '../../src/fail/publisher.ts';
import { openInboxLab, type InboxLab } from '../support/inbox-lab.ts';

let lab: InboxLab;
let proxies: Map<string, TcpProxy>;
beforeEach(async () => {
  lab = await openInboxLab(inject('stack'));
  proxies = new Map();
  for (const broker of lab.stack.brokers) {
    const [host = '', port = ''] = broker.split(':');
    proxies.set(broker, await startTcpProxy({ host, port: Number(port) }));
  }
});
afterEach(async () => {
  for (const proxy of proxies.values()) await proxy.close();
  await lab.close();
});

/**
 * Brokers advertise their own addresses, so the client's sockets are led through the proxies
 * instead.
 */
function throughProxies(): Kafka {
  return new Kafka({
    brokers: [...lab.stack.brokers],
    logLevel: logLevel.NOTHING,
    requestTimeout: 1_000,
    enforceRequestTimeout: true,
    socketFactory: ({ host, port, onConnect }) => {
      const proxy = proxies.get(`${host}:${port}`);
      if (!proxy) throw new Error(`no proxy for ${host}:${port}`);
      return connect({ host: proxy.host, port: proxy.port }, onConnect);
    },
  });
}

const record = (text: string, partition: number): RoutedRecord => ({
  topic: retryTopicName(lab.group, 1),
  partition,
  key: Buffer.from('k'),
  value: Buffer.from(text),
  headers: {},
});
const stored = async (): Promise<Set<string>> =>
  new Set(
    (await readTopic(lab.stack.brokers, retryTopicName(lab.group, 1))).map(({ value }) =>
      String(value),
    ),
  );

it('stores a record whose answer is lost, and the next, different one too', async () => {
  const publisher = await connectPublisher(throughProxies());
  try {
    await publisher.publish([record('warm-up', 0)]);
    for (const proxy of proxies.values()) proxy.set({ kind: 'half-open', drop: 'to-client' });
    // It must be given up: a retry that gets its answer would put the producer's numbers right
    // again.
    await expect(publisher.publish([record('lost', 0)])).rejects.toThrow('could not publish');
    expect(await stored()).toContain('lost');
    for (const proxy of proxies.values()) proxy.set({ kind: 'reset' });
    for (const proxy of proxies.values()) proxy.set({ kind: 'none' });
    // What the publisher acknowledges must be stored, whatever became of the record before it.
    await publisher.publish([record('next', 0)]);
    expect(await stored()).toEqual(new Set(['warm-up', 'lost', 'next']));
  } finally {
    await publisher.close();
  }
});
