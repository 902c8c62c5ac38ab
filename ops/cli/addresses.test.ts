import { ConfigError } from '@board/service';
import { describe, expect, it } from 'vitest';
import { describeVariables, readAddresses } from './addresses.ts';

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

describe('the addresses of a command', () => {
  it('come from the environment, and only those that it wants; the account is its own unless another is named', () => {
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
  ])('say how to start the local stack when there are NONE at all', (wanted, variable) => {
    expect(() => readAddresses({}, noStack, wanted)).toThrow(
      'The stack "no-such-stack" does not run, and the environment names no other servers: start it with ' +
        `"npm start -- --instance no-such-stack", or set ${variable} and the variables that --help lists.`,
    );
    expect(() => readAddresses({}, 'main', wanted)).toThrow('"npm start"');
  });

  it('are ALL reported that are missing or wrong beside the one that is there', () => {
    const { DATABASE_HOST, ...missing } = env;
    const read = () => readAddresses({ DATABASE_HOST, CONNECT_URL: 'connect' }, noStack, audit);
    expect(read).toThrow(ConfigError);
    for (const name of Object.keys(missing)) expect(read).toThrow(name);
  });

  it('are named in --help, those that the command wants', () => {
    expect(describeVariables(audit)).toMatch(
      /_USER \(audit\), _PASSWORD, KAFKA_BROKERS, CONNECT_URL;\nKAFKA_USER/,
    );
    expect(describeVariables({ servers: ['connectUrl'] })).toBe('Environment: CONNECT_URL.');
  });
});
