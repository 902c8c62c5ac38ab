import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { refuseBusyPorts } from '../check/checks.ts';
import { locateInstance, makeFolders, type Cluster } from './instance.ts';
import {
  choosePorts,
  findBusyPorts,
  findFreePorts,
  firstFreeOffset,
  listPorts,
  portsAt,
} from './ports.ts';

test('the main stack has the ports that its documents name', () => {
  expect(portsAt(0)).toEqual({
    mysql: 13306,
    brokers: [19092, 19093, 19094],
    controllers: [19192, 19193, 19194],
    zookeeper: 12181,
    connect: 8083,
    registry: 8081,
    registryManagement: 8082,
    orderService: 8080,
    keeper: 8084,
  });
});

test('no two blocks that "auto" may choose share a port', () => {
  const seen = new Map<number, number>();
  for (const offset of [0, ...Array.from({ length: 61 }, (_, index) => 1000 + index * 200)]) {
    for (const port of Object.values(portsAt(offset)).flat()) {
      expect(seen.get(port), `port ${port} of offset ${offset}`).toBeUndefined();
      seen.set(port, offset);
    }
  }
});

test('"auto" takes the first block that is wholly free and remembered by no instance', async () => {
  const busy = new Set([portsAt(1200).registryManagement]);
  const offset = await firstFreeOffset(
    (candidate) => candidate !== 1000,
    (ports) =>
      Promise.resolve(
        Object.values(ports)
          .flat()
          .every((port) => !busy.has(port)),
      ),
  );
  expect(offset).toBe(1400);
});

test('"auto" keeps the remembered block, and leaves it when another process listens there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stack-ports-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const instance = locateInstance('test', folder);
  makeFolders(instance);
  const remembered = await choosePorts(instance, 'auto');
  expect(await choosePorts(instance, 'auto')).toEqual(remembered);

  const server = createServer();
  await new Promise<void>((resolve) => server.listen(remembered.connect, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  expect(await choosePorts(instance, undefined)).toEqual(remembered);
  expect(await choosePorts(instance, 'auto')).not.toEqual(remembered);
});

test('ZooKeeper has a port in its own flavour, and the controllers have theirs', () => {
  const owners = (cluster: Cluster) => listPorts(portsAt(0), cluster).map(({ owner }) => owner);
  expect(owners('zookeeper')).toEqual(
    owners('kraft').flatMap((owner) =>
      owner === 'kafka-1 (controller)'
        ? ['zookeeper']
        : owner.includes('controller')
          ? []
          : [owner],
    ),
  );
  expect(owners('zookeeper')).toHaveLength(10);
});

test('a port on which a process listens is busy, others are not', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  expect(await findBusyPorts([port])).toEqual([port]);
});

test('the error names the port, its server and the commands that help', async () => {
  const ports = await findFreePorts();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(ports.orderService, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const refuse = (name: string): Promise<void> =>
    refuseBusyPorts(locateInstance(name), ports, 'kraft');
  const stop = `Port ${ports.orderService} (for order-service) is in use: stop what uses it ("ss -ltnp" tells)`;
  await expect(refuse('main')).rejects.toThrow(
    new Error(
      `${stop}, or start on other ports with "npm start -- --port-offset auto", ` +
        'which is remembered until "--port-offset 0" takes it back.',
    ),
  );
  await expect(refuse('older')).rejects.toThrow(
    '"npm start -- --instance older --port-offset auto"',
  );
});
