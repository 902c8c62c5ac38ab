import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { must } from '@board/service';
import { z } from 'zod';
import { readComposePorts } from '../../infra/containers/ports.mjs';
import { checkout, instancesFolder, writeFile, type Cluster, type Instance } from './instance.ts';

/** The fixed ports of an instance; `servers/server.ts` has the addresses. */
export interface Ports {
  readonly mysql: number;
  readonly brokers: readonly [number, number, number];
  readonly controllers: readonly [number, number, number];
  readonly zookeeper: number;
  readonly connect: number;
  readonly registry: number;
  readonly registryManagement: number;
  readonly orderService: number;
  readonly keeper: number;
}

/** What is added to every fixed port; `auto` finds a free block. */
export type PortOffset = number | 'auto';

const remembered = z.object({ offset: z.number().int().min(0).max(40_000) });

const published = readComposePorts(
  readFileSync(resolve(checkout, 'docker-compose.yml'), 'utf8'),
  {},
  [],
);

/**
 * The port at which a service of docker-compose.yml answers on this machine: natively it is the
 * same.
 */
function portOf(service: string): number {
  const found = published.find((one) => one.service === service);
  if (found === undefined) throw new Error(`docker-compose.yml publishes no port of ${service}`);
  return Number(found.value);
}

/** Beside those of docker-compose.yml a few that containers keep to themselves. */
export function portsAt(offset: number): Ports {
  return {
    mysql: portOf('mysql') + offset,
    brokers: [portOf('kafka-1') + offset, portOf('kafka-2') + offset, portOf('kafka-3') + offset],
    controllers: [19192 + offset, 19193 + offset, 19194 + offset],
    zookeeper: 12181 + offset,
    connect: portOf('connect') + offset,
    registry: portOf('registry') + offset,
    registryManagement: 8082 + offset,
    orderService: portOf('order-service') + offset,
    keeper: portOf('keeper') + offset,
  };
}

/** Every port that a flavour uses, with the name of the server that listens there. */
export function listPorts(ports: Ports, cluster: Cluster): { port: number; owner: string }[] {
  return [
    { port: ports.mysql, owner: 'mysql' },
    ...ports.brokers.map((port, index) => ({ port, owner: `kafka-${index + 1}` })),
    ...(cluster === 'kraft'
      ? ports.controllers.map((port, index) => ({ port, owner: `kafka-${index + 1} (controller)` }))
      : [{ port: ports.zookeeper, owner: 'zookeeper' }]),
    { port: ports.connect, owner: 'connect' },
    { port: ports.registry, owner: 'registry' },
    { port: ports.registryManagement, owner: 'registry (management)' },
    { port: ports.orderService, owner: 'order-service' },
    { port: ports.keeper, owner: 'keeper' },
  ];
}

/** The offset that an instance remembers; undefined before its first start. */
export function readOffset(folder: string): number | undefined {
  const file = resolve(folder, 'ports.json');
  return existsSync(file)
    ? remembered.parse(JSON.parse(readFileSync(file, 'utf8'))).offset
    : undefined;
}

/**
 * The block of ports of an instance, remembered for its next start: the offset asked for, else the
 * remembered one, else 0 for `main` and `auto` for others. `auto` keeps a remembered block while it
 * is free and else takes another.
 */
export async function choosePorts(instance: Instance, wanted?: PortOffset): Promise<Ports> {
  const offset = await chooseOffset(instance, wanted);
  writeFile(resolve(instance.folder, 'ports.json'), `${JSON.stringify({ offset })}\n`);
  return portsAt(offset);
}

async function chooseOffset(instance: Instance, wanted: PortOffset | undefined): Promise<number> {
  if (typeof wanted === 'number') return wanted;
  const known = readOffset(instance.folder) ?? (instance.name === 'main' ? 0 : undefined);
  if (known !== undefined && (wanted === undefined || (await isBlockFree(portsAt(known)))))
    return known;
  return findFreeOffset();
}

/** A block serves either flavour, so all of its ports count. */
async function isBlockFree(ports: Ports): Promise<boolean> {
  return (await findBusyPorts(Object.values(ports).flat())).length === 0;
}

/** A whole block of ports that is free now and not remembered by another instance. */
export async function findFreePorts(): Promise<Ports> {
  return portsAt(await findFreeOffset());
}

function findFreeOffset(): Promise<number> {
  const taken = offsetsOfOthers();
  return firstFreeOffset((offset) => !taken.has(offset), isBlockFree);
}

/** 1000, 1200, 1400, ...: the first that no instance remembers and whose whole block is free. */
export async function firstFreeOffset(
  isUnused: (offset: number) => boolean,
  isFree: (ports: Ports) => Promise<boolean>,
): Promise<number> {
  // By 200, since within a block two groups of ports are 100 apart. Above 13,000 the blocks would
  // reach the range from which systems give out random ports.
  for (let offset = 1000; offset <= 13_000; offset += 200) {
    if (isUnused(offset) && (await isFree(portsAt(offset)))) return offset;
  }
  throw new Error(
    'No free block of ports between offsets 1000 and 13000: stop other stacks first.',
  );
}

function offsetsOfOthers(): Set<number> {
  if (!existsSync(instancesFolder)) return new Set();
  const offsets = readdirSync(instancesFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => readOffset(resolve(instancesFolder, entry.name)));
  return new Set(offsets.filter((offset) => offset !== undefined));
}

/** Of these ports, those that are in use now. */
export async function findBusyPorts(ports: readonly number[]): Promise<number[]> {
  const free = await Promise.all(ports.map(listenOnce));
  return ports.filter((_port, index) => free[index] === undefined);
}

/** A port that was free a moment ago. */
export async function pickFreePort(): Promise<number> {
  return must(await listenOnce(0), 'a free port');
}

/**
 * The port, or any with 0, on which this process could listen for a moment; undefined when it could
 * not.
 */
function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'string' ? undefined : address?.port));
    });
  });
}
