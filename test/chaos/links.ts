import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { type Fault, startTcpProxy, type TcpProxy } from '@board/test';
import type { Command } from '../../stack/run/run-command.ts';
import { brokerIds } from '../../stack/servers/kafka.ts';
import { loopback, type Server, type ServerContext } from '../../stack/servers/server.ts';
import { type LinkName, linkNames } from './schedule.ts';

/**
 * Everything that one part of the stack sends to another goes through here: one proxy, or one for
 * each broker.
 */
export interface Link {
  readonly ports: readonly number[];
  set(fault: Fault): void;
  /** How often the fault that was set last has met a connection. */
  hits(): number;
  /** How many are open. */
  connections(): number;
  /** New connections lead to a server that answers 500 to everything, or back to the right one. */
  misdirect(isWrong: boolean): void;
}

/** The links of a stack of which this process starts the servers. */
export interface Links {
  readonly byName: ReadonlyMap<LinkName, Link>;
  /** The proxies lead to the servers of this stack from now on. */
  lead(context: ServerContext): void;
  /**
   * The same server, with its addresses and, of a broker, its listeners changed so that the links
   * are used.
   */
  rewire(server: Server, context: ServerContext): Server;
  close(): Promise<void>;
}

/**
 * Who reaches the brokers through proxies; a broker has a listener for each, which advertises the
 * proxy's address.
 */
const kafkaClients = ['connect', 'catalog-service-1', 'catalog-service-2'] as const;
type KafkaClient = (typeof kafkaClients)[number];

export async function openLinks(): Promise<Links> {
  const nowhere = { host: loopback, port: 9 };
  const failing = createServer((_request, response) => {
    response
      .writeHead(500, { 'content-type': 'application/json' })
      .end('{"error_code":50001,"message":"chaos"}');
  }).listen(0, loopback);
  await once(failing, 'listening');
  const { port: failingPort } = failing.address() as AddressInfo;

  const proxies = new Map<LinkName, readonly TcpProxy[]>();
  let targets = new Map<LinkName, readonly number[]>();
  for (const name of linkNames) {
    const count = name.endsWith('->kafka') ? brokerIds.length : 1;
    proxies.set(
      name,
      await Promise.all(Array.from({ length: count }, () => startTcpProxy(nowhere))),
    );
  }
  const proxiesOf = (name: LinkName): readonly TcpProxy[] => proxies.get(name) ?? [];
  const portsOf = (name: LinkName): readonly number[] => proxiesOf(name).map(({ port }) => port);

  const byName = new Map<LinkName, Link>();
  for (const name of linkNames) {
    const own = proxiesOf(name);
    byName.set(name, {
      ports: portsOf(name),
      set: (fault) => own.forEach((proxy) => proxy.set(fault)),
      hits: () => own.reduce((sum, proxy) => sum + proxy.hits(), 0),
      connections: () => own.reduce((sum, proxy) => sum + proxy.connections(), 0),
      misdirect(isWrong) {
        const right = targets.get(name) ?? [];
        for (const [index, proxy] of own.entries()) {
          proxy.redirect({ host: loopback, port: isWrong ? failingPort : (right[index] ?? 0) });
          // Open connections would stay where they are.
          proxy.set({ kind: 'reset' });
          proxy.set({ kind: 'none' });
        }
      },
    });
  }

  return {
    byName,
    lead(context) {
      targets = new Map(linkNames.map((name) => [name, targetsOf(name, context)]));
      for (const [name, ports] of targets)
        for (const [index, proxy] of proxiesOf(name).entries())
          proxy.redirect({ host: loopback, port: ports[index] ?? 0 });
    },
    rewire(server, context) {
      const prepare: Server['prepare'] = async (runTask) => {
        await server.prepare(runTask);
        const broker = /^kafka-(\d)$/.exec(server.name);
        if (broker !== null)
          addListeners(context, Number(broker[1]) - 1, (client) => portsOf(`${client}->kafka`));
        if (server.name === 'connect')
          edit(context, 'connect', 'bootstrap.servers', () => addresses(portsOf('connect->kafka')));
      };
      return {
        ...server,
        prepare,
        command: async () => withAddresses(server.name, await server.command(), portsOf),
      };
    },
    async close() {
      await Promise.all([...proxies.values()].flat().map((proxy) => proxy.close()));
      failing.closeAllConnections();
      failing.close();
    },
  };
}

/**
 * Links that nothing of the stack uses although it always has connections there: it goes round
 * their proxies.
 */
export function findUnused(
  links: ReadonlyMap<LinkName, Pick<Link, 'connections'>>,
): readonly LinkName[] {
  // The registry is asked when a schema is new.
  return [...links].flatMap(([name, link]) =>
    name.endsWith('->registry') || link.connections() > 0 ? [] : [name],
  );
}

function targetsOf(name: LinkName, { ports }: ServerContext): readonly number[] {
  const [client = '', server] = name.split('->');
  if (server === 'mysql') return [ports.mysql];
  if (server === 'registry') return [ports.registry];
  return brokerIds.map((_id, index) => listenerPort(ports, index, client as KafkaClient));
}

/** Between the brokers' own ports and those of their controllers. */
function listenerPort(ports: ServerContext['ports'], broker: number, client: KafkaClient): number {
  return (ports.brokers[broker] ?? 0) + 10 * (1 + kafkaClients.indexOf(client));
}

function addListeners(
  context: ServerContext,
  broker: number,
  proxyPorts: (client: KafkaClient) => readonly number[],
) {
  const file = `kafka-${broker + 1}`;
  const listenerName = (client: KafkaClient): string => client.replaceAll('-', '_').toUpperCase();
  const add = (key: string, valueOf: (client: KafkaClient) => string): void =>
    edit(context, file, key, (value) => [value, ...kafkaClients.map(valueOf)].join(','));
  add(
    'listeners',
    (client) =>
      `${listenerName(client)}://${loopback}:${listenerPort(context.ports, broker, client)}`,
  );
  add(
    'advertised.listeners',
    (client) => `${listenerName(client)}://${loopback}:${proxyPorts(client)[broker]}`,
  );
  add('listener.security.protocol.map', (client) => `${listenerName(client)}:PLAINTEXT`);
}

/** Changes one setting of a file that the stack has written. */
function edit(
  { instance }: ServerContext,
  file: string,
  key: string,
  change: (value: string) => string,
): void {
  const path = resolve(instance.configDir, `${file}.properties`);
  const lines = readFileSync(path, 'utf8').split('\n');
  const at = lines.findIndex((line) => line.startsWith(`${key}=`));
  const old = lines[at];
  if (old === undefined)
    throw new Error(`${path} has no ${key}: the links of the chaos run must be laid otherwise.`);
  lines[at] = `${key}=${change(old.slice(key.length + 1))}`;
  writeFileSync(path, lines.join('\n'));
}

function addresses(ports: readonly number[]): string {
  return ports.map((port) => `${loopback}:${port}`).join(',');
}

/** What each variable is replaced with, by the server behind it. */
const variables = {
  mysql: ['DATABASE_PORT', 'CDC_MYSQL_PORT'],
  kafka: ['KAFKA_BROKERS', 'CDC_KAFKA_BROKERS'],
  registry: ['REGISTRY_URL'],
} as const;

function withAddresses(
  client: string,
  command: Command,
  portsOf: (name: LinkName) => readonly number[],
): Command {
  const env: Record<string, string> = { ...command.env };
  for (const name of linkNames) {
    const [from, to] = name.split('->') as [string, keyof typeof variables];
    if (from !== client) continue;
    const known = variables[to].filter((variable) => env[variable] !== undefined);
    if (known.length === 0)
      throw new Error(`${client} has none of ${variables[to].join(', ')}: ${name} cannot be laid.`);
    for (const variable of known) {
      if (to === 'registry') {
        const url = new URL(env[variable] ?? '');
        url.port = String(portsOf(name)[0]);
        env[variable] = url.href;
      } else env[variable] = to === 'kafka' ? addresses(portsOf(name)) : String(portsOf(name)[0]);
    }
  }
  return { ...command, env };
}
