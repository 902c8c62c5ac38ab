import { registerConnector } from '@board/relay';
import { catalogService } from '../servers/catalog-service.ts';
import { connectServer, connectUrl } from '../servers/connect.ts';
import { brokerIds } from '../servers/broker-settings.ts';
import { brokerAddresses, kafkaServer } from '../servers/kafka.ts';
import { keeper } from '../servers/keeper.ts';
import { mysqlServer } from '../servers/mysql.ts';
import { nodeCommand } from '../servers/node-command.ts';
import { orderService } from '../servers/order-service.ts';
import { registryServer, registryUrl } from '../servers/registry.ts';
import type { RunTask, Server, ServerContext } from '../servers/server.ts';
import { zookeeperServer } from '../servers/zookeeper.ts';
import { grantTables } from '../setup/mysql-grants.ts';
import { createUsers } from '../setup/mysql-users.ts';
import { registerSchemas } from '../setup/schemas.ts';
import { createTopics } from '../setup/topics.ts';
import { retrySetup } from './retry-setup.ts';
import type { Command } from './run-command.ts';
import type { Step } from './run-graph.ts';

/** What is started: `servers` is everything but the service processes. */
export type Only = 'servers' | 'all';

export interface StepTools {
  readonly startServer: (server: Server, signal: AbortSignal) => Promise<void>;
  readonly runTask: (signal: AbortSignal) => RunTask;
  readonly say: (line: string) => void;
}

/** The whole start: what runs, and what must be done before it. */
export function listSteps(context: ServerContext, only: Only, tools: StepTools): Step[] {
  const { hosts, ports, secrets } = context;
  const admin = { host: hosts.mysql, port: ports.mysql, user: 'root', password: secrets.root };
  const brokers = brokerAddresses(context);

  const server = (made: Server, ...needs: string[]): Step => ({
    name: made.name,
    needs,
    run: (signal) => tools.startServer(made, signal),
  });
  const setup = (name: string, needs: string[], work: () => Promise<string[] | void>): Step => ({
    name,
    needs,
    run: async (signal) => {
      const onFailure = (reason: string): void => tools.say(`${name}: once more, since ${reason}`);
      for (const line of (await retrySetup(work, onFailure, signal)) ?? []) tools.say(line);
      tools.say(`${name} done`);
    },
  });
  const migrate = (service: 'order-service' | 'catalog-service'): Step => ({
    name: `migrate ${service}`,
    needs: ['users'],
    run: async (signal) => {
      const command = migration(context, service);
      await tools.runTask(signal)(`migrate-${service}`, command);
      tools.say(`migrate ${service} done`);
    },
  });
  const kafka = brokerIds.map((id) => kafkaServer(context, id));
  const kafkaNames = kafka.map(({ name }) => name);
  const zookeeper = context.cluster === 'zookeeper' ? [zookeeperServer(context)] : [];

  const servers = [
    server(mysqlServer(context)),
    ...zookeeper.map((one) => server(one)),
    ...kafka.map((broker) => server(broker, ...zookeeper.map(({ name }) => name))),
    // Beside the brokers, not after them: it waits for them by itself, and its own start takes as long.
    server(connectServer(context)),
    setup('users', ['mysql'], () => createUsers(admin, secrets)),
    server(registryServer(context), 'users'),
    migrate('order-service'),
    migrate('catalog-service'),
    setup('grants', ['migrate order-service', 'migrate catalog-service'], () => grantTables(admin)),
    setup('topics', kafkaNames, () => createTopics(brokers)),
    setup('schemas', ['registry'], () => registerSchemas(registryUrl(context))),
    setup('connector', ['connect', 'topics', 'grants'], async () => {
      // One that the keeper has stopped stays so, and says it: its re-drive needs the rest of the stack.
      await registerConnector({ connectUrl: connectUrl(context), brokers, onProgress: tools.say });
    }),
  ];
  if (only === 'servers') return servers;
  return [
    ...servers,
    ...[orderService(context), catalogService(context, 1), catalogService(context, 2)].map((service) =>
      server(service, 'grants', 'schemas', 'topics'),
    ),
    // Before the connector is there it would only raise alarms.
    server(keeper(context), 'connector'),
  ];
}

/** Servers alone, without what belongs to the pipeline. */
export function listBareSteps(context: ServerContext, tools: StepTools): Step[] {
  const wanted = new Set([
    'mysql',
    'zookeeper',
    ...brokerIds.map((id) => `kafka-${id}`),
    'connect',
    'users',
    'registry',
  ]);
  return listSteps(context, 'servers', tools).filter(({ name }) => wanted.has(name));
}

function migration({ hosts, ports, secrets }: ServerContext, service: 'order-service' | 'catalog-service'): Command {
  return nodeCommand(`services/${service}/src/migrate.ts`, {
    INSTANCE: `${service}-migrations`,
    DATABASE_HOST: hosts.mysql,
    DATABASE_PORT: String(ports.mysql),
    DATABASE_NAME: service.replace('-', '_'),
    DATABASE_USER: 'migrations',
    DATABASE_PASSWORD: secrets.migrations,
  });
}
