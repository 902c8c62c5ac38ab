import { once } from 'node:events';
import { connect } from 'node:net';
import { provisionVariables } from '@board/provision';
import { ensurePrograms } from '../../stack/fetch/ensure-programs.ts';
import { locateInstance, makeFolders } from '../../stack/instance/instance.ts';
import { portsAt } from '../../stack/instance/ports.ts';
import { ensureSecrets, type Secrets } from '../../stack/instance/secrets.ts';
import { listSteps, provisionConfig, type StepTools } from '../../stack/run/list-steps.ts';
import type { Command } from '../../stack/run/run-command.ts';
import type { Step } from '../../stack/run/list-steps.ts';
import { runServers } from '../../stack/run/run-servers.ts';
import { connectUrl } from '../../stack/servers/connect.ts';
import { brokerAddresses } from '../../stack/servers/kafka.ts';
import { nodeCommand } from '../../stack/servers/command-lines.ts';
import {
  type Hosts,
  loopback,
  type Server,
  type ServerContext,
} from '../../stack/servers/server.ts';
import { allHosts, type HostName, type Network } from './network.ts';

/** The pipeline as the operator's host sees it. */
export interface HostedPipeline {
  readonly secrets: Secrets;
  readonly mysql: { readonly host: string; readonly port: number };
  readonly brokers: readonly string[];
  readonly connectUrl: string;
  readonly orderServiceUrl: string;
  readonly catalogUrls: readonly string[];
}

const hostOf: Readonly<Record<string, HostName>> = {
  'kafka-1': 'kafka-1',
  'kafka-2': 'kafka-2',
  'kafka-3': 'kafka-3',
  mysql: 'mysql',
  connect: 'connect',
  registry: 'connect',
  keeper: 'services-a',
  'order-service': 'services-a',
  'catalog-service-1': 'services-a',
  'catalog-service-2': 'services-b',
};

/**
 * Starts the native stack's servers, each on its host, with the stack's own steps; called by a
 * process on the operator's host.
 */
export async function startServers(
  network: Network,
  say: (line: string) => void,
): Promise<HostedPipeline> {
  const never = new AbortController().signal;
  const instance = locateInstance('hosts', network.folder);
  makeFolders(instance);
  const context: ServerContext = {
    instance,
    cluster: 'kraft',
    ports: portsAt(0),
    hosts: hostsOf(network),
    secrets: ensureSecrets(instance),
    programs: await ensurePrograms('kraft', say, never),
  };
  const servers = await runServers(
    context,
    (tools) => {
      const startServer: StepTools['startServer'] = (server, signal) =>
        tools.startServer(placeServer(network, server, context), signal);
      return listSteps(context, {}, { ...tools, startServer }).map((step) =>
        atRootsHome(step, network, context, tools),
      );
    },
    { say, onChange: () => undefined },
    never,
  );
  const addressOf = (name: string): string =>
    servers
      .all()
      .find(({ server }) => server.name === name)
      ?.server.address() ?? '';
  return {
    secrets: context.secrets,
    mysql: { host: context.hosts.mysql, port: context.ports.mysql },
    brokers: brokerAddresses(context),
    connectUrl: connectUrl(context),
    orderServiceUrl: addressOf('order-service'),
    catalogUrls: [addressOf('catalog-service-1'), addressOf('catalog-service-2')],
  };
}

function hostsOf({ address }: Network): Hosts {
  return {
    mysql: address('mysql'),
    brokers: [address('kafka-1'), address('kafka-2'), address('kafka-3')],
    zookeeper: address('kafka-1'),
    registry: address('connect'),
    connect: address('connect'),
    keeper: address('services-a'),
    orderService: address('services-a'),
    catalogServices: [address('services-a'), address('services-b')],
  };
}

function placeServer(network: Network, server: Server, { hosts, ports }: ServerContext): Server {
  const host = hostOf[server.name];
  if (host === undefined) throw new Error(`${server.name} has no host`);
  return {
    ...server,
    command: async () => network.on(host, await server.command()),
    // MySQL's own probe is root's, whom MySQL refuses from here.
    ...(server.name === 'mysql' ? { probe: () => probePort(hosts.mysql, ports.mysql) } : {}),
  };
}

async function probePort(host: string, port: number): Promise<{ readonly kind: 'ready' }> {
  const socket = connect({ host, port });
  await once(socket, 'connect').finally(() => socket.destroy());
  return { kind: 'ready' };
}

/**
 * Root logs in on MySQL's own host only: what root does is done there, by the setup that containers
 * use too.
 */
function atRootsHome(step: Step, network: Network, context: ServerContext, tools: StepTools): Step {
  if (step.name !== 'users' && step.name !== 'grants') return step;
  const command = network.on('mysql', setupCommand(step.name, context));
  return { ...step, run: (signal) => tools.runTask(signal)(`setup-${step.name}`, command) };
}

function setupCommand(step: 'users' | 'grants', context: ServerContext): Command {
  const config = provisionConfig(context);
  const atHome = {
    ...config,
    admin: { ...config.admin, host: loopback },
    userHost: allHosts.netmask,
  };
  const command = nodeCommand('provision/main.ts', provisionVariables(atHome));
  return { ...command, args: [...command.args, step] };
}
