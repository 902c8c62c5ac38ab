import { resolve } from 'node:path';
import { writeFile } from '../instance/write-file.ts';
import { javaCommand, javaStopTimeoutMs } from './java-command.ts';
import { brokerAddresses } from './kafka.ts';
import { log4jOption } from './log4j.ts';
import { probeHttp } from './probe-http.ts';
import { properties } from './properties.ts';
import { layers, type Server, type ServerContext } from './server.ts';

/** Kafka Connect, distributed mode with one worker: runs Debezium. */
export function connectServer(context: ServerContext): Server {
  const { instance, hosts, ports, programs, secrets } = context;
  const configFile = resolve(instance.configDir, 'connect.properties');
  const url = connectUrl(context);

  return {
    name: 'connect',
    layer: layers.connect,
    address: () => url,
    prepare: () => Promise.resolve(writeFile(configFile, properties(settings(context)))),
    command: () =>
      Promise.resolve(
        javaCommand(context, {
          aot: 'connect',
          // Debezium queues up to 8,192 changes, each with its board.
          maxHeapMb: 512,
          options: [log4jOption(instance)],
          run: ['-cp', programs.jars.connect.join(':'), 'org.apache.kafka.connect.cli.ConnectDistributed', configFile],
          // The connector's JSON names these and holds no address and no password itself.
          env: {
            CDC_MYSQL_HOST: hosts.mysql,
            CDC_MYSQL_PORT: String(ports.mysql),
            CDC_MYSQL_USER: 'cdc',
            CDC_MYSQL_PASSWORD: secrets.cdc,
            CDC_KAFKA_BROKERS: brokerAddresses(context).join(','),
          },
        }),
      ),
    // 200 only when the worker has joined its group and read its topics.
    probe: () => probeHttp(`${url}/health`),
    readyTimeoutMs: 120_000,
    stopTimeoutMs: javaStopTimeoutMs(context),
  };
}

export function connectUrl({ hosts, ports }: Pick<ServerContext, 'hosts' | 'ports'>): string {
  return `http://${hosts.connect}:${ports.connect}`;
}

function settings(context: ServerContext): Record<string, string | number | boolean> {
  const env = 'org.apache.kafka.common.config.provider.EnvVarConfigProvider';
  return {
    'bootstrap.servers': brokerAddresses(context).join(','),
    'group.id': 'connect',
    listeners: `HTTP://${context.hosts.connect}:${context.ports.connect}`,
    'rest.advertised.host.name': context.hosts.connect,
    'plugin.path': context.programs.jars.plugins,
    // Reads the plugins' own manifests instead of scanning every class: nine seconds less.
    'plugin.discovery': 'service_load',

    'config.storage.topic': 'connect-configs',
    'offset.storage.topic': 'connect-offsets',
    'status.storage.topic': 'connect-status',
    'config.storage.replication.factor': 3,
    'offset.storage.replication.factor': 3,
    'status.storage.replication.factor': 3,
    'offset.storage.partitions': 3,
    'status.storage.partitions': 3,

    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'key.converter.schemas.enable': false,
    'value.converter.schemas.enable': false,

    // A kill repeats what was sent since the last flush; the default is a minute.
    'offset.flush.interval.ms': 1000,
    // With one worker nobody else comes back: waiting five minutes for them would be idle time.
    'scheduled.rebalance.max.delay.ms': 0,
    // The connector asks for an idempotent producer.
    'connector.client.config.override.policy': 'All',
    'config.providers': 'env',
    'config.providers.env.class': env,
    'config.providers.env.param.allowlist.pattern': 'CDC_.*',
  };
}
