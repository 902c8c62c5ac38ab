import { describe, expect, it } from 'vitest';
import { readProvisionConfig } from './config.ts';
import { mysqlUsers } from './mysql-users.ts';

const env = {
  MYSQL_PORT: '13306',
  MYSQL_ROOT_PASSWORD: 'root-secret',
  ...Object.fromEntries(mysqlUsers.map((user) => [`${user.toUpperCase()}_PASSWORD`, `of ${user}`])),
  KAFKA_BROKERS: 'kafka-1:9092,kafka-2:9092',
  REGISTRY_URL: 'http://registry:8080/apis/ccompat/v7',
  CONNECT_URL: 'http://connect:8083',
};

describe('readProvisionConfig', () => {
  it('reads every address and password', () => {
    expect(readProvisionConfig(env)).toEqual({
      admin: { host: '127.0.0.1', port: 13306, user: 'root', password: 'root-secret' },
      passwords: Object.fromEntries(mysqlUsers.map((user) => [user, `of ${user}`])),
      userHost: '127.0.0.1',
      brokers: ['kafka-1:9092', 'kafka-2:9092'],
      registryUrl: env.REGISTRY_URL,
      connectUrl: env.CONNECT_URL,
    });
  });

  it('names all that is wrong at once, and no password', () => {
    const wrong = { ...env, MYSQL_PORT: 'many', CDC_PASSWORD: undefined, CONNECT_URL: 'connect' };
    expect(() => readProvisionConfig(wrong)).toThrow(
      /MYSQL_PORT[\s\S]*CDC_PASSWORD[\s\S]*CONNECT_URL/,
    );
    expect(() => readProvisionConfig(wrong)).not.toThrow(/root-secret/);
  });

  it.each(Object.keys(env))('does not start without %s', (name) => {
    expect(() => readProvisionConfig({ ...env, [name]: undefined })).toThrow(name);
  });
});
