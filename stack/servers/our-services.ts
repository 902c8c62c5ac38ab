import {
  boardAggregate,
  catalogConsumer,
  consumers,
  type ConsumerDefinition,
} from '@board/contracts';
import { must } from '@board/service';
import { findBusyPorts, pickFreePort } from '../instance/ports.ts';
import { nodeCommand } from './command-lines.ts';
import { connectUrl } from './connect.ts';
import { brokerAddresses } from './kafka.ts';
import { registryUrl } from './registry.ts';
import { layers, loopback, probeHttp, type Server, type ServerContext } from './server.ts';

interface Service {
  readonly name: string;
  readonly main: string;
  readonly host: string;
  /** Called again at each start. */
  readonly port: () => Promise<number> | number;
  /**
   * The schema that it works in, as the MySQL user of the same name unless `user` names another.
   */
  readonly database: string;
  readonly user?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly nodeFlags?: readonly string[];
}

/** order-service: HTTP to board and outbox; knows no Kafka. */
export function orderService(context: ServerContext): Server {
  return service(context, {
    name: 'order-service',
    main: 'services/order-service/src/main.ts',
    host: context.hosts.orderService,
    port: () => context.ports.orderService,
    database: boardAggregate.database,
    env: { REGISTRY_URL: registryUrl(context) },
  });
}

/** One of the catalog-service instances: topic to catalog. */
export function catalogService(context: ServerContext, instance: 1 | 2): Server {
  const host = context.hosts.catalogServices[instance - 1] ?? loopback;
  return consumerService(context, catalogConsumer, { name: `catalog-service-${instance}`, host });
}

/** Consumers that run only when they are asked for, by name. */
export const moreConsumers: readonly ConsumerDefinition[] = consumers.filter(
  (one) => one !== catalogConsumer,
);

/**
 * A consumer's service, in `services/` under the name of its group; on a random port that it keeps
 * over restarts.
 */
export function consumerService(
  context: ServerContext,
  consumer: ConsumerDefinition,
  {
    name = consumer.group,
    host = loopback,
  }: { readonly name?: string; readonly host?: string } = {},
): Server {
  let port = 0;
  return service(context, {
    name,
    main: `services/${consumer.group}/src/main.ts`,
    host,
    port: async () => {
      if (port === 0 || (await findBusyPorts([port])).length > 0) port = await pickFreePort();
      return port;
    },
    database: consumer.database,
    env: { REGISTRY_URL: registryUrl(context), KAFKA_BROKERS: brokerAddresses(context).join(',') },
  });
}

/**
 * keeper: heals the connector, watches its position, purges the outbox and trims the retry topics.
 */
export function keeper(context: ServerContext): Server {
  return service(context, {
    name: 'keeper',
    main: 'services/keeper/src/main.ts',
    host: context.hosts.keeper,
    port: () => context.ports.keeper,
    database: boardAggregate.database,
    user: 'purge',
    env: { KAFKA_BROKERS: brokerAddresses(context).join(','), CONNECT_URL: connectUrl(context) },
    // It does little and now and then: room for fast garbage would cost a third of its memory.
    nodeFlags: ['--max-semi-space-size=1'],
  });
}

function service({ hosts, ports, secrets }: ServerContext, made: Service): Server {
  const { database, user = database } = made;
  let url = `http://${made.host}`;
  return {
    name: made.name,
    layer: layers.service,
    address: () => url,
    prepare: () => undefined,
    command: async () => {
      const port = await made.port();
      url = `http://${made.host}:${port}`;
      const env = {
        INSTANCE: made.name,
        HTTP_HOST: made.host,
        HTTP_PORT: String(port),
        DATABASE_HOST: hosts.mysql,
        DATABASE_PORT: String(ports.mysql),
        DATABASE_NAME: database,
        DATABASE_USER: user,
        DATABASE_PASSWORD: must(secrets[user], `a password of ${user}`),
        ...made.env,
      };
      return nodeCommand(made.main, env, made.nodeFlags);
    },
    probe: () => probeHttp(`${url}/readyz`),
    readyTimeoutMs: 60_000,
    stopTimeoutMs: 15_000,
  };
}
