import { nodeCommand } from './node-command.ts';
import { probeHttp } from './probe-http.ts';
import { registryUrl } from './registry.ts';
import { layers, type Server, type ServerContext } from './server.ts';

/** order-service: HTTP to board and outbox; knows no Kafka. */
export function orderService(context: ServerContext): Server {
  const { hosts, ports, secrets } = context;
  const url = `http://${hosts.orderService}:${ports.orderService}`;
  return {
    name: 'order-service',
    layer: layers.service,
    address: () => url,
    prepare: () => Promise.resolve(),
    command: () =>
      Promise.resolve(
        nodeCommand('services/order-service/src/main.ts', {
          INSTANCE: 'order-service',
          HTTP_HOST: hosts.orderService,
          HTTP_PORT: String(ports.orderService),
          DATABASE_HOST: hosts.mysql,
          DATABASE_PORT: String(ports.mysql),
          DATABASE_NAME: 'order_service',
          DATABASE_USER: 'order_service',
          DATABASE_PASSWORD: secrets.order_service,
          REGISTRY_URL: registryUrl(context),
        }),
      ),
    probe: () => probeHttp(`${url}/readyz`),
    readyTimeoutMs: 60_000,
    stopTimeoutMs: 15_000,
  };
}
