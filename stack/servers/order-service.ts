import { nodeCommand } from './node-command.ts';
import { probeHttp } from './probe-http.ts';
import { registryUrl } from './registry.ts';
import { layers, type Server, type ServerContext } from './server.ts';

/** order-service: HTTP to board and outbox; knows no Kafka. */
export function orderService(context: ServerContext): Server {
  const { ports, secrets } = context;
  const url = `http://127.0.0.1:${ports.orderService}`;
  return {
    name: 'order-service',
    layer: layers.service,
    address: () => url,
    prepare: () => Promise.resolve(),
    command: () =>
      Promise.resolve(
        nodeCommand('services/order-service/src/main.ts', {
          INSTANCE: 'order-service',
          HTTP_HOST: '127.0.0.1',
          HTTP_PORT: String(ports.orderService),
          DATABASE_HOST: '127.0.0.1',
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
