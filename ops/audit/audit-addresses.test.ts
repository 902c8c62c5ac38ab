import { ConfigError } from '@board/service';
import { startCommand } from '@board/stack';
import { describe, expect, it } from 'vitest';
import { auditAddresses } from './audit-addresses.ts';

const env = {
  DATABASE_HOST: 'db',
  DATABASE_PORT: '3306',
  DATABASE_PASSWORD: 'secret',
  KAFKA_BROKERS: 'a:1,b:2',
  CONNECT_URL: 'http://connect:8083',
};

describe('the addresses of an audit', () => {
  it('come from the environment', () => {
    expect(auditAddresses(env, 'no-such-stack')).toEqual({
      database: { host: 'db', port: 3306, user: 'audit', password: 'secret' },
      kafka: { brokers: ['a:1', 'b:2'] },
      connectUrl: 'http://connect:8083',
    });
  });

  it('say how to start the local stack when there are none at all', () => {
    expect(() => auditAddresses({}, 'no-such-stack')).toThrow(
      /"no-such-stack" does not run.*"npm start -- --instance no-such-stack"/,
    );
    expect(startCommand({ name: 'main' })).toBe('npm start');
  });

  it('are ALL reported that are missing beside the one that is there', () => {
    const { DATABASE_HOST, ...missing } = env;
    expect(() => auditAddresses({ DATABASE_HOST }, 'no-such-stack')).toThrow(ConfigError);
    for (const name of Object.keys(missing))
      expect(() => auditAddresses({ DATABASE_HOST }, 'no-such-stack')).toThrow(name);
  });
});
