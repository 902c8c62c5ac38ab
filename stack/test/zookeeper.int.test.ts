import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { boardTopic } from '@board/contracts';
import { openAdmin } from '@board/kafka';
import { uniqueName, waitUntil } from '@board/test';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createTopics } from '../../provision/topics.ts';
import { ensurePrograms } from '../fetch/ensure-programs.ts';
import { chooseCluster, locateInstance, makeFolders } from '../instance/instance.ts';
import { ensureSecrets } from '../instance/secrets.ts';
import { findFreePorts } from '../instance/ports.ts';
import { listSteps } from '../run/list-steps.ts';
import { runServers, type Servers } from '../run/run-servers.ts';
import { brokerAddresses } from '../servers/kafka.ts';
import {
  askZookeeper,
  countBrokers,
  loopback,
  loopbackHosts,
  type ServerContext,
} from '../servers/server.ts';

// One story in order, on a ZooKeeper and three brokers that start from nothing.
const brokerNames = ['kafka-1', 'kafka-2', 'kafka-3'];
const folder = mkdtempSync(join(tmpdir(), 'stack-zookeeper-'));
const never = new AbortController().signal;
const said: string[] = [];
let context: ServerContext;
let servers: Servers;

beforeAll(async () => {
  vi.stubEnv('STACK_AOT', '0');
  const instance = locateInstance('zookeeper-int', folder);
  makeFolders(instance);
  const programs = await ensurePrograms('zookeeper', () => undefined, never);
  const ports = await findFreePorts();
  context = {
    instance,
    cluster: 'zookeeper',
    ports,
    hosts: loopbackHosts,
    secrets: ensureSecrets(instance),
    programs,
  };
  servers = await runServers(
    context,
    (tools) =>
      listSteps(context, { only: 'servers' }, tools).filter(({ name }) =>
        ['zookeeper', ...brokerNames, 'topics'].includes(name),
      ),
    { say: (line) => said.push(line), onChange: () => undefined },
    never,
  );
}, 300_000);
afterAll(async () => {
  await servers?.stop();
  rmSync(folder, { recursive: true });
}, 120_000);

const stateOf = (name: string) =>
  servers
    .all()
    .find(({ server }) => server.name === name)
    ?.state();

/** Resolves as soon as the launcher has started the server again. */
async function kill(name: string): Promise<void> {
  const pid = stateOf(name)?.pid;
  if (pid === undefined) throw new Error(`${name} does not run`);
  process.kill(pid, 'SIGKILL');
  await waitUntil(`${name} started again`, () => ![pid, undefined].includes(stateOf(name)?.pid));
}

const inSync = async (topic: string): Promise<number[][]> => {
  const admin = await openAdmin({ brokers: brokerAddresses(context) });
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  await admin.disconnect();
  return topics[0]?.partitions.map(({ isr }) => isr.toSorted()) ?? [];
};
const everywhere = Array.from({ length: boardTopic.partitions }, () => [1, 2, 3]);

it('the cluster has `board` with three partitions and three copies, and finds nothing to change at the next start', async () => {
  expect(said.some((line) => line.startsWith(`topic ${boardTopic.name}: created`))).toBe(true);
  expect(await inSync(boardTopic.name)).toEqual(everywhere);
  expect(await createTopics(brokerAddresses(context))).toEqual([]);
});

it('a killed broker is started again only when ZooKeeper has forgotten the old one, and its copies catch up', async () => {
  await kill('kafka-2');
  expect(await askZookeeper({ host: loopback, port: context.ports.zookeeper }, 'dump')).not.toMatch(
    /\/brokers\/ids\/2$/m,
  );
  // Before its partitions are looked at: the others may not have noticed yet that it was away.
  const [, port] = context.ports.brokers;
  await waitUntil(
    'kafka-2 answers',
    async () => (await countBrokers({ host: loopback, port })) === 3,
    {
      timeoutMs: 60_000,
    },
  );
  await expect.poll(() => inSync(boardTopic.name), { timeout: 60_000 }).toEqual(everywhere);
});

it('the brokers stay after ZooKeeper was killed, and a new topic can be created', async () => {
  const before = brokerNames.map((name) => stateOf(name)?.pid);
  await kill('zookeeper');
  const topic = { ...boardTopic, name: uniqueName('topic') };
  await createTopics(brokerAddresses(context), [topic]);
  await expect.poll(() => inSync(topic.name), { timeout: 30_000 }).toEqual(everywhere);
  expect(brokerNames.map((name) => stateOf(name)?.pid)).toEqual(before);
});

it('ZooKeeper stops after its brokers, and its data can never become a KRaft cluster', async () => {
  await servers.stop();
  const stopped = said.flatMap((line) => /^(\S+) stopped/.exec(line)?.[1] ?? []);
  expect(stopped.slice(0, 3).toSorted()).toEqual(brokerNames);
  expect(stopped.slice(3)).toEqual(['zookeeper']);
  expect(() => chooseCluster(context.instance, 'kraft')).toThrow(
    'holds the data of a ZooKeeper cluster',
  );
});
