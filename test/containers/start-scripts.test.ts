import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { portsAt } from '../../stack/instance/ports.ts';
import { checkout, readText } from './read-compose.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'start-scripts-'));
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'data'));
  // Kafka's own scripts: these print the settings that they are started with, and their log's.
  for (const name of [
    'kafka-server-start.sh',
    'zookeeper-server-start.sh',
    'connect-distributed.sh',
  ]) {
    writeScript(
      name,
      'cat "$1"; echo "log=$KAFKA_LOG4J_OPTS"; echo "password=${CDC_MYSQL_PASSWORD:-}"',
    );
  }
  writeScript('kafka-storage.sh', 'echo "storage=$*" >&2');
});
afterEach(() => rmSync(folder, { recursive: true }));

function writeScript(name: string, body: string): void {
  const file = join(folder, 'bin', name);
  writeFileSync(file, `#!/bin/bash\n${body}\n`);
  chmodSync(file, 0o755);
}

function start(script: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const { status, stdout, stderr } = spawnSync(
    'bash',
    [resolve(checkout, 'infra', script), ...args],
    {
      encoding: 'utf8',
      env: { PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, TMPDIR: folder, ...env },
    },
  );
  const lines = stdout.split('\n').filter((line) => line.includes('=') && !line.startsWith('#'));
  const settings = lines.map(
    (line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const,
  );
  expect(new Set(settings.map(([key]) => key)).size).toBe(settings.length);
  return { status, stdout, stderr, settings: Object.fromEntries(settings) };
}

const startBroker = (flavour: string) =>
  start('kafka/start-broker.sh', [flavour], {
    BROKER_ID: '2',
    HOST_PORT: String(portsAt(0).brokers[1]),
    DATA_DIR: join(folder, 'data'),
  });

describe('a broker', () => {
  const advertised = 'BROKER://kafka-2:9092,HOST://127.0.0.1:19093';

  it('of the flavour kraft has the shared settings, its own number and addresses, and a formatted folder', () => {
    const { stdout, stderr, settings } = startBroker('kraft');
    for (const file of ['broker', 'broker-kraft'])
      expect(stdout).toContain(readText(`infra/kafka/${file}.properties`));
    expect(settings).toMatchObject({
      'node.id': '2',
      listeners: 'BROKER://:9092,HOST://:19092,CONTROLLER://:9093',
      'advertised.listeners': advertised,
      'controller.quorum.voters': '1@kafka-1:9093,2@kafka-2:9093,3@kafka-3:9093',
      log: `-Dlog4j2.configurationFile=file:${checkout}/infra/kafka/log4j2.properties`,
    });
    expect(stderr).toMatch(
      /^storage=format --ignore-formatted --cluster-id [\w-]{22} --config \S+\n$/,
    );
  });

  it('of the flavour zookeeper has no setting of a controller, and formats nothing', () => {
    const { stdout, stderr, settings } = startBroker('zookeeper');
    for (const file of ['broker', 'broker-zookeeper']) {
      expect(stdout).toContain(readText(`infra/kafka/${file}.properties`));
    }
    expect(settings).toMatchObject({
      'broker.id': '2',
      'zookeeper.connect': 'zookeeper:2181',
      listeners: 'BROKER://:9092,HOST://:19092',
      'advertised.listeners': advertised,
      log: `-Dlog4j.configuration=file:${checkout}/infra/kafka/log4j.properties`,
    });
    expect(
      Object.keys(settings).filter((key) =>
        /controller\.(quorum|listener)|process\.roles/.test(key),
      ),
    ).toEqual([]);
    expect(stderr).toBe('');
  });

  const writtenBy = {
    kraft: '#\nnode.id=1\nversion=1\ncluster.id=AUJvYXJkUGlwZWxpbmUwMQ\n',
    zookeeper: '#\nbroker.id=1\nversion=0\ncluster.id=AUJvYXJkUGlwZWxpbmUwMQ\n',
  } as const;

  it.each(['kraft', 'zookeeper'] as const)(
    'starts on a volume of its own flavour: %s',
    (flavour) => {
      writeFileSync(join(folder, 'data/meta.properties'), writtenBy[flavour]);
      expect(startBroker(flavour).status).toBe(0);
    },
  );

  it.each([
    ['kraft', 'zookeeper'],
    ['zookeeper', 'kraft'],
  ] as const)(
    'of the flavour %s refuses a volume of %s, in one sentence with the fix',
    (flavour, writer) => {
      writeFileSync(join(folder, 'data/meta.properties'), writtenBy[writer]);
      const { status, stdout, stderr } = startBroker(flavour);
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(
        new RegExp(`^This broker's volume was written by the ${writer} flavour.*down -v.*\n$`),
      );
    },
  );
});

it('MySQL has the shared settings, in a file that only its owner may write to, as else it would not read them', () => {
  writeScript('docker-entrypoint.sh', 'echo "$*"');
  const { stdout } = start('mysql/start-mysql.sh', [], { MYSQL_CONF_DIR: folder });
  expect(stdout).toBe('mysqld\n');
  expect(readFileSync(join(folder, 'board.cnf'), 'utf8')).toBe(readText('infra/mysql/my.cnf'));
  expect(statSync(join(folder, 'board.cnf')).mode & 0o777).toBe(0o644);
});

it('ZooKeeper has the shared settings, its port and its folder', () => {
  const { stdout, settings } = start('zookeeper/start-zookeeper.sh', [], {});
  expect(stdout).toContain(readText('infra/zookeeper/zookeeper.properties'));
  expect(settings).toMatchObject({ clientPort: '2181', dataDir: '/var/lib/kafka/data' });
});

it('Connect has the shared settings, its addresses, the plugins of its image and the password from its file', () => {
  writeFileSync(join(folder, 'cdc'), 'of-no-server');
  const { stdout, settings } = start('connect/start-worker.sh', [], {
    CDC_KAFKA_BROKERS: 'kafka-1:9092',
    CDC_MYSQL_PASSWORD_FILE: join(folder, 'cdc'),
    CONNECT_PLUGIN_PATH: '/kafka/connect',
  });
  expect(stdout).toContain(readText('infra/connect/worker.properties'));
  expect(settings).toMatchObject({
    'bootstrap.servers': 'kafka-1:9092',
    'plugin.path': '/kafka/connect',
    'rest.advertised.host.name': 'connect',
    password: 'of-no-server',
  });
});
