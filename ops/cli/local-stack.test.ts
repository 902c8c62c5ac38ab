import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { identifyProcess } from '@board/service';
import { afterEach, expect, it } from 'vitest';
import { readAddresses } from './addresses.ts';
import { readLocalStack } from './local-stack.ts';

const name = `test-${process.pid}`;
const folder = new URL(`../../.stack/${name}/`, import.meta.url);
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const self = identifyProcess(process.pid);
const wanted = {
  servers: ['database', 'kafka', 'registryUrl', 'connectUrl'],
  account: { user: 'audit', database: 'order_service' },
} as const;
const processes = {
  mysql: '127.0.0.1:14306',
  'kafka-1': '127.0.0.1:20092',
  'kafka-2': '127.0.0.1:20093',
  registry: 'http://127.0.0.1:9081/apis/ccompat/v7',
  connect: 'http://127.0.0.1:9083',
};

function remember(
  supervisor: object | undefined,
  running: Readonly<Record<string, string>> = processes,
): void {
  mkdirSync(new URL('run', folder), { recursive: true });
  writeFileSync(new URL('secrets.json', folder), JSON.stringify({ audit: 'password-of-audit' }));
  const list = Object.entries(running).map(([server, address]) => ({
    name: server,
    address,
    logFile: `/log/${server}`,
  }));
  writeFileSync(new URL('run/state.json', folder), JSON.stringify({ supervisor, processes: list }));
}

it('a local stack that runs names its servers, its passwords and its logs', () => {
  remember(self);
  expect(readAddresses({}, name, wanted)).toEqual({
    database: {
      host: '127.0.0.1',
      port: 14_306,
      name: 'order_service',
      user: 'audit',
      password: 'password-of-audit',
    },
    kafka: { brokers: ['127.0.0.1:20092', '127.0.0.1:20093'] },
    registryUrl: 'http://127.0.0.1:9081/apis/ccompat/v7',
    connectUrl: 'http://127.0.0.1:9083',
  });
  expect(readLocalStack(name)?.logFiles).toContainEqual(
    expect.objectContaining({ name: 'connect', logFile: '/log/connect' }),
  );
});

it.each([
  { DATABASE_HOST: 'db' },
  { KAFKA_BROKERS: 'a:1' },
  { CONNECT_URL: 'http://other:1' },
  { KAFKA_USER: 'eve' },
])('once the environment names a server, NOTHING of the local stack is used: %o', (env) => {
  remember(self);
  expect(() => readAddresses(env, name, wanted)).toThrow('DATABASE_PASSWORD');
});

it('what has NOT been started yet is missing, by its variable', () => {
  remember(self, { mysql: processes.mysql });
  expect(() => readAddresses({}, name, wanted)).toThrow(
    /KAFKA_BROKERS[^]*REGISTRY_URL[^]*CONNECT_URL/,
  );
});

it('a stack whose launcher was KILLED, or whose pid another process has now, does not run', () => {
  for (const supervisor of [
    { ...self, pid: 2 ** 22 },
    { ...self, startTime: '1' },
  ]) {
    remember(supervisor);
    expect(readLocalStack(name)).toBeUndefined();
    expect(() => readAddresses({}, name, wanted)).toThrow(`The stack "${name}" does not run`);
  }
});
