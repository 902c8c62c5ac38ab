import { resolve } from 'node:path';
import { writeFile } from '../instance/instance.ts';
import { javaCommand, javaStopTimeoutMs, log4j2Option } from './command-lines.ts';
import { brokerAddresses } from './kafka.ts';
import { layers, probeHttp, type Server, type ServerContext } from './server.ts';
import { properties, readJavaOptions, readSettings } from './settings.ts';

/** Kafka Connect, distributed mode with one worker: runs Debezium. */
export function connectServer(context: ServerContext): Server {
  const { instance, hosts, ports, programs, secrets } = context;
  const configFile = resolve(instance.configDir, 'connect.properties');
  const url = connectUrl(context);

  return {
    name: 'connect',
    layer: layers.connect,
    address: () => url,
    prepare: () => writeFile(configFile, settings(context)),
    command: () =>
      javaCommand(context, {
        aot: 'connect',
        heap: readJavaOptions('connect/worker.env', 'KAFKA_HEAP_OPTS'),
        options: [log4j2Option],
        jars: programs.jars.connect,
        run: ['org.apache.kafka.connect.cli.ConnectDistributed', configFile],
        // The connector's JSON names these and holds no address and no password itself.
        env: {
          CDC_MYSQL_HOST: hosts.mysql,
          CDC_MYSQL_PORT: String(ports.mysql),
          CDC_MYSQL_USER: 'cdc',
          CDC_MYSQL_PASSWORD: secrets.cdc,
          CDC_KAFKA_BROKERS: brokerAddresses(context).join(','),
        },
      }),
    // 200 only when the worker has joined its group and read its topics.
    probe: () => probeHttp(`${url}/health`),
    readyTimeoutMs: 120_000,
    stopTimeoutMs: javaStopTimeoutMs(context),
  };
}

/** The URL of Connect's REST API. */
export function connectUrl({ hosts, ports }: Pick<ServerContext, 'hosts' | 'ports'>): string {
  return `http://${hosts.connect}:${ports.connect}`;
}

/** The settings of `infra/connect`, then this worker's addresses and plugins. */
function settings(context: ServerContext): string {
  return (
    readSettings('connect/worker.properties') +
    properties({
      'bootstrap.servers': brokerAddresses(context).join(','),
      listeners: `HTTP://${context.hosts.connect}:${context.ports.connect}`,
      'rest.advertised.host.name': context.hosts.connect,
      'plugin.path': context.programs.jars.plugins,
    })
  );
}
