import { javaCommand, javaStopTimeoutMs } from './command-lines.ts';
import { layers, probeHttp, type Server, type ServerContext } from './server.ts';
import { readJavaOptions, readVariables } from './settings.ts';

const file = 'registry/registry.env';

/**
 * Apicurio Registry on the same MySQL: keeps the events' Avro schemas, spoken to through its
 * Confluent API.
 */
export function registryServer(context: ServerContext): Server {
  const { hosts, ports, programs, secrets } = context;
  const variables = readVariables(file);
  return {
    name: 'registry',
    layer: layers.registry,
    address: () => registryUrl(context),
    prepare: () => undefined,
    command: () =>
      javaCommand(context, {
        aot: 'registry',
        heap: readJavaOptions(file, 'JAVA_OPTS_APPEND'),
        options: ['-Djava.util.logging.manager=org.jboss.logmanager.LogManager'],
        // Its own starter (quarkus-run.jar) loads classes past the AOT cache: with a plain class
        // path it starts in half the time.
        jars: programs.jars.registry,
        run: ['io.quarkus.runner.GeneratedMain'],
        env: {
          ...variables,
          APICURIO_DATASOURCE_URL:
            variables['APICURIO_DATASOURCE_URL']?.replace(
              'mysql:3306',
              `${hosts.mysql}:${ports.mysql}`,
            ) ?? '',
          APICURIO_DATASOURCE_PASSWORD: secrets.registry,
          QUARKUS_HTTP_HOST: hosts.registry,
          QUARKUS_HTTP_PORT: String(ports.registry),
          QUARKUS_MANAGEMENT_HOST: hosts.registry,
          QUARKUS_MANAGEMENT_PORT: String(ports.registryManagement),
        },
      }),
    probe: () => probeHttp(`${registryUrl(context)}/subjects`),
    readyTimeoutMs: 120_000,
    stopTimeoutMs: javaStopTimeoutMs(context),
  };
}

/** The URL of the registry's Confluent API. */
export function registryUrl({ hosts, ports }: Pick<ServerContext, 'hosts' | 'ports'>): string {
  return `http://${hosts.registry}:${ports.registry}/apis/ccompat/v7`;
}
