import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { ConfigError, identifyProcess } from '@board/service';
import { afterEach, describe, expect, it } from 'vitest';
import { describeVariables, readAddresses, readLocalStack } from './addresses.ts';

const env = {
  DATABASE_HOST: 'db',
  DATABASE_PORT: '3306',
  DATABASE_PASSWORD: 'secret',
  KAFKA_BROKERS: 'a:1,b:2',
  CONNECT_URL: 'http://connect:8083',
};
const noStack = 'no-such-stack';
const audit = {
  servers: ['database', 'kafka', 'connectUrl'],
  account: { user: 'audit', database: 'order_service' },
} as const;
const connector = { servers: ['connectUrl', 'kafka'] } as const;

describe('the environment', () => {
  it('names the servers that a command needs, and may name another account', () => {
    expect(readAddresses(env, noStack, audit)).toEqual({
      database: {
        host: 'db',
        port: 3306,
        name: 'order_service',
        user: 'audit',
        password: 'secret',
      },
      kafka: { brokers: ['a:1', 'b:2'] },
      connectUrl: 'http://connect:8083',
    });
    const named = { ...env, DATABASE_USER: 'eve', DATABASE_NAME: 'copy' };
    expect(readAddresses(named, noStack, audit).database).toMatchObject({
      user: 'eve',
      name: 'copy',
    });
    expect(readAddresses(env, noStack, connector)).toEqual({
      kafka: { brokers: ['a:1', 'b:2'] },
      connectUrl: 'http://connect:8083',
    });
  });

  it.each([
    [audit, 'DATABASE_HOST'],
    [connector, 'CONNECT_URL'],
  ])('without addresses is refused with how to start the local stack', (needed, variable) => {
    expect(() => readAddresses({}, noStack, needed)).toThrow(
      'The stack "no-such-stack" does not run, and the environment names no other servers: ' +
        'start it with ' +
        `"npm start -- --instance no-such-stack", or set ${variable} and the variables that ` +
        '--help lists.',
    );
    expect(() => readAddresses({}, 'main', needed)).toThrow('"npm start"');
  });

  it('is refused with every variable that is missing or wrong', () => {
    const { DATABASE_HOST, ...missing } = env;
    const read = () => readAddresses({ DATABASE_HOST, CONNECT_URL: 'connect' }, noStack, audit);
    expect(read).toThrow(ConfigError);
    for (const name of Object.keys(missing)) expect(read).toThrow(name);
  });

  it('is described in --help by the variables that the command needs', () => {
    expect(describeVariables(audit)).toMatch(
      /_USER \(audit\), _PASSWORD, KAFKA_BROKERS, CONNECT_URL;\nKAFKA_USER/,
    );
    expect(describeVariables({ servers: ['connectUrl'] })).toBe('Environment: CONNECT_URL.');
  });
});

describe('a local stack', () => {
  const name = `test-${process.pid}`;
  const folder = new URL(`../../.stack/${name}/`, import.meta.url);
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const self = identifyProcess(process.pid);
  const needed = {
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

  function writeState(
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
    writeFileSync(
      new URL('run/state.json', folder),
      JSON.stringify({ supervisor, processes: list }),
    );
  }

  it('names its servers, passwords and logs while it runs', () => {
    writeState(self);
    expect(readAddresses({}, name, needed)).toEqual({
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
  ])('is not used when the environment names a server: %o', (env) => {
    writeState(self);
    expect(() => readAddresses(env, name, needed)).toThrow('DATABASE_PASSWORD');
  });

  it('lacks the variables of the servers that have not been started', () => {
    writeState(self, { mysql: processes.mysql });
    expect(() => readAddresses({}, name, needed)).toThrow(
      /KAFKA_BROKERS[^]*REGISTRY_URL[^]*CONNECT_URL/,
    );
  });

  it('does not run when its launcher was killed or another process has its pid', () => {
    for (const supervisor of [
      { ...self, pid: 2 ** 22 },
      { ...self, startTime: '1' },
    ]) {
      writeState(supervisor);
      expect(readLocalStack(name)).toBeUndefined();
      expect(() => readAddresses({}, name, needed)).toThrow(`The stack "${name}" does not run`);
    }
  });
});
