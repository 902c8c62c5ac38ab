import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { writeFile } from '../instance/write-file.ts';
import { javaCommand, javaStopTimeoutMs } from './java-command.ts';
import { log4jOption } from './log4j.ts';
import { countBrokers } from './probe-broker.ts';
import { properties } from './properties.ts';
import { layers, type Server, type ServerContext } from './server.ts';

export const brokerIds = [1, 2, 3] as const;
export type BrokerId = (typeof brokerIds)[number];

/** One of three Kafka nodes, each broker and controller at once (KRaft). */
export function kafkaServer(context: ServerContext, id: BrokerId): Server {
  const { instance, ports, programs } = context;
  const name = `kafka-${id}`;
  const port = ports.brokers[id - 1] ?? 0;
  const configFile = resolve(instance.configDir, `${name}.properties`);
  const dataDir = resolve(instance.dataDir, name);
  const classPath = programs.jars.kafka.join(':');

  return {
    name,
    layer: layers.kafka,
    address: () => `127.0.0.1:${port}`,
    prepare: async (runTask) => {
      writeFile(configFile, properties(settings(context, id, dataDir)));
      if (existsSync(resolve(dataDir, 'meta.properties'))) return;
      await runTask(
        `${name}-format`,
        javaCommand(context, {
          aot: undefined,
          maxHeapMb: 128,
          options: ['-XX:TieredStopAtLevel=1', log4jOption(instance)],
          run: [
            '-cp',
            classPath,
            'kafka.tools.StorageTool',
            'format',
            '--cluster-id',
            clusterId(instance.name),
            '--config',
            configFile,
            '--ignore-formatted',
          ],
        }),
      );
    },
    command: () =>
      Promise.resolve(
        javaCommand(context, {
          // One of the three records for all.
          aot: programs.aot.mode === 'record' && id !== 1 ? undefined : 'broker',
          maxHeapMb: 256,
          options: [log4jOption(instance)],
          run: ['-cp', classPath, 'kafka.Kafka', configFile],
        }),
      ),
    probe: async () => {
      const known = await countBrokers(port);
      return known === brokerIds.length ? undefined : `knows ${known} of 3 brokers`;
    },
    readyTimeoutMs: 120_000,
    stopTimeoutMs: javaStopTimeoutMs(context),
  };
}

export function brokerAddresses({ ports }: Pick<ServerContext, 'ports'>): string[] {
  return ports.brokers.map((port) => `127.0.0.1:${port}`);
}

function settings({ ports }: ServerContext, id: BrokerId, dataDir: string): Record<string, string | number | boolean> {
  const listeners = `BROKER://127.0.0.1:${ports.brokers[id - 1]}`;
  const controller = `CONTROLLER://127.0.0.1:${ports.controllers[id - 1]}`;
  const voters = brokerIds.map((voter) => `${voter}@127.0.0.1:${ports.controllers[voter - 1]}`);
  return {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': voters.join(','),
    listeners: `${listeners},${controller}`,
    'advertised.listeners': listeners,
    'listener.security.protocol.map': 'BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'BROKER',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': dataDir,

    // Topics are made from their definitions, never by a typing mistake.
    'auto.create.topics.enable': false,
    // A record counts as stored once two of three copies have it.
    'default.replication.factor': 3,
    'min.insync.replicas': 2,
    'offsets.topic.replication.factor': 3,
    'transaction.state.log.replication.factor': 3,
    'transaction.state.log.min.isr': 2,
    'share.coordinator.state.topic.replication.factor': 3,
    'share.coordinator.state.topic.min.isr': 2,
    'unclean.leader.election.enable': false,

    // A few groups live here: fewer partitions of the internal topics make starts and failovers quicker.
    'offsets.topic.num.partitions': 6,
    'transaction.state.log.num.partitions': 3,
    'share.coordinator.state.topic.num.partitions': 3,
    'group.initial.rebalance.delay.ms': 0,

    // Memory: the cleaner alone would take 128 MB; two cores need no eight threads for requests.
    'log.cleaner.dedupe.buffer.size': 8 * 1024 * 1024,
    'num.io.threads': 4,
    'num.network.threads': 2,
  };
}

/** Sixteen bytes in base64url; the same for all nodes of an instance, and never a "-" at its start. */
function clusterId(instanceName: string): string {
  const digest = createHash('sha256').update(`board-pipeline ${instanceName}`).digest();
  digest[0] = 1;
  return digest.subarray(0, 16).toString('base64url');
}
