import { javaCommand, javaStopTimeoutMs } from './java-command.ts';
import { probeHttp } from './probe-http.ts';
import { layers, type Server, type ServerContext } from './server.ts';

/** Apicurio Registry on the same MySQL: keeps the events' Avro schemas, spoken to through its Confluent API. */
export function registryServer(context: ServerContext): Server {
  const { hosts, ports, programs, secrets } = context;
  return {
    name: 'registry',
    layer: layers.registry,
    address: () => registryUrl(context),
    prepare: () => Promise.resolve(),
    command: () =>
      Promise.resolve(
        javaCommand(context, {
          aot: 'registry',
          maxHeapMb: 192,
          // Its own starter (quarkus-run.jar) loads classes past the AOT cache: with a plain class path it starts in half the time.
          options: ['-Djava.util.logging.manager=org.jboss.logmanager.LogManager'],
          run: ['-cp', programs.jars.registry.join(':'), 'io.quarkus.runner.GeneratedMain'],
          env: {
            APICURIO_STORAGE_KIND: 'sql',
            APICURIO_STORAGE_SQL_KIND: 'mysql',
            APICURIO_DATASOURCE_URL: `jdbc:mysql://${hosts.mysql}:${ports.mysql}/registry?sslMode=DISABLED&allowPublicKeyRetrieval=true`,
            APICURIO_DATASOURCE_USERNAME: 'registry',
            APICURIO_DATASOURCE_PASSWORD: secrets.registry,
            // The defaults (20 to 100) would take most of MySQL's connections.
            APICURIO_DATASOURCE_JDBC_INITIAL_SIZE: '1',
            APICURIO_DATASOURCE_JDBC_MIN_SIZE: '1',
            APICURIO_DATASOURCE_JDBC_MAX_SIZE: '8',
            QUARKUS_HTTP_HOST: hosts.registry,
            QUARKUS_HTTP_PORT: String(ports.registry),
            QUARKUS_MANAGEMENT_HOST: hosts.registry,
            QUARKUS_MANAGEMENT_PORT: String(ports.registryManagement),
            QUARKUS_HTTP_ACCESS_LOG_ENABLED: 'false',
            // Its own writes the date as 2026-11+00-26.
            QUARKUS_LOG_CONSOLE_FORMAT: '%d{yyyy-MM-dd HH:mm:ss,SSS} %p [%c] (%t) %m%n',
            // Two cores serve a handful of look-ups: the default pool is made for hundreds.
            QUARKUS_THREAD_POOL_MAX_THREADS: '20',
          },
        }),
      ),
    probe: () => probeHttp(`${registryUrl(context)}/subjects`),
    readyTimeoutMs: 120_000,
    stopTimeoutMs: javaStopTimeoutMs(context),
  };
}

export function registryUrl({ hosts, ports }: Pick<ServerContext, 'hosts' | 'ports'>): string {
  return `http://${hosts.registry}:${ports.registry}/apis/ccompat/v7`;
}
