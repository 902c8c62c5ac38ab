import { findBusyPorts, pickFreePort } from '../instance/find-busy-ports.ts';
import { brokerAddresses } from './kafka.ts';
import { nodeCommand } from './node-command.ts';
import { probeHttp } from './probe-http.ts';
import { registryUrl } from './registry.ts';
import { layers, type Server, type ServerContext } from './server.ts';

/** One of the catalog-service instances: topic to catalog, on a random port that it keeps over restarts. */
export function catalogService(context: ServerContext, instance: 1 | 2): Server {
  const { ports, secrets } = context;
  const name = `catalog-service-${instance}`;
  let port = 0;
  return {
    name,
    layer: layers.service,
    address: () => `http://127.0.0.1:${port}`,
    prepare: () => Promise.resolve(),
    command: async () => {
      if (port === 0 || (await findBusyPorts([port])).length > 0) port = await pickFreePort();
      return nodeCommand('services/catalog-service/src/main.ts', {
        INSTANCE: name,
        HTTP_HOST: '127.0.0.1',
        HTTP_PORT: String(port),
        DATABASE_HOST: '127.0.0.1',
        DATABASE_PORT: String(ports.mysql),
        DATABASE_NAME: 'catalog_service',
        DATABASE_USER: 'catalog_service',
        DATABASE_PASSWORD: secrets.catalog_service,
        REGISTRY_URL: registryUrl(context),
        KAFKA_BROKERS: brokerAddresses(context).join(','),
      });
    },
    probe: () => probeHttp(`http://127.0.0.1:${port}/readyz`),
    readyTimeoutMs: 60_000,
    stopTimeoutMs: 15_000,
  };
}
