import { connectUrl } from './connect.ts';
import { brokerAddresses } from './kafka.ts';
import { nodeCommand } from './node-command.ts';
import { probeHttp } from './probe-http.ts';
import { layers, type Server, type ServerContext } from './server.ts';

/** keeper: heals the connector, watches its position, purges the outbox and trims the retry topics. */
export function keeper(context: ServerContext): Server {
  const { hosts, ports, secrets } = context;
  const url = `http://${hosts.keeper}:${ports.keeper}`;
  return {
    name: 'keeper',
    layer: layers.service,
    address: () => url,
    prepare: () => Promise.resolve(),
    command: () =>
      Promise.resolve(
        nodeCommand(
          'services/keeper/src/main.ts',
          {
            INSTANCE: 'keeper',
            HTTP_HOST: hosts.keeper,
            HTTP_PORT: String(ports.keeper),
            DATABASE_HOST: hosts.mysql,
            DATABASE_PORT: String(ports.mysql),
            DATABASE_NAME: 'order_service',
            DATABASE_USER: 'purge',
            DATABASE_PASSWORD: secrets.purge,
            KAFKA_BROKERS: brokerAddresses(context).join(','),
            CONNECT_URL: connectUrl(context),
          },
          // It does little and now and then: room for fast garbage would cost a third of its memory.
          ['--max-semi-space-size=1'],
        ),
      ),
    probe: () => probeHttp(`${url}/readyz`),
    readyTimeoutMs: 60_000,
    stopTimeoutMs: 15_000,
  };
}
