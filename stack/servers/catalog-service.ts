import { findBusyPorts, pickFreePort } from '../instance/find-busy-ports.ts';
import { loopback } from './hosts.ts';
import { brokerAddresses } from './kafka.ts';
import { nodeCommand } from './node-command.ts';
import { probeHttp } from './probe-http.ts';
import { registryUrl } from './registry.ts';
import { layers, type Server, type ServerContext } from './server.ts';

/** One of the catalog-service instances: topic to catalog, on a random port that it keeps over restarts. */
export function catalogService(context: ServerContext, instance: 1 | 2): Server {
  const { hosts, ports, secrets } = context;
  const host = hosts.catalogServices[instance - 1] ?? loopback;
  const name = `catalog-service-${instance}`;
  let port = 0;
  return {
    name,
    layer: layers.service,
    address: () => `http://${host}:${port}`,
    prepare: () => Promise.resolve(),
    command: async () => {
      if (port === 0 || (await findBusyPorts([port])).length > 0) port = await pickFreePort();
      return nodeCommand('services/catalog-service/src/main.ts', {
        INSTANCE: name,
        HTTP_HOST: host,
        HTTP_PORT: String(port),
        DATABASE_HOST: hosts.mysql,
        DATABASE_PORT: String(ports.mysql),
        DATABASE_NAME: 'catalog_service',
        DATABASE_USER: 'catalog_service',
        DATABASE_PASSWORD: secrets.catalog_service,
        REGISTRY_URL: registryUrl(context),
        KAFKA_BROKERS: brokerAddresses(context).join(','),
      });
    },
    probe: () => probeHttp(`http://${host}:${port}/readyz`),
    readyTimeoutMs: 60_000,
    stopTimeoutMs: 15_000,
  };
}
