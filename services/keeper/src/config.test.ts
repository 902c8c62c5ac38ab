import { consumers } from '@board/contracts';
import { readConfig } from '@board/service';
import { expect, it } from 'vitest';
import { serviceSchema } from './config.ts';

const env = {
  DATABASE_HOST: 'db',
  DATABASE_PORT: '3306',
  DATABASE_NAME: 'order_service',
  DATABASE_USER: 'purge',
  DATABASE_PASSWORD: 'secret',
  KAFKA_BROKERS: 'kafka-1:9092',
  CONNECT_URL: 'http://connect:8083',
};

it('CONSUMER_GROUP is refused, because the contracts name the consumers', () => {
  expect(readConfig(serviceSchema, env)).not.toHaveProperty('CONSUMER_GROUP');
  expect(() => readConfig(serviceSchema, { ...env, CONSUMER_GROUP: 'other' })).toThrow(
    /CONSUMER_GROUP: .*take it away/,
  );
});

it('CONSUMER_DATABASE moves the named consumers to another database, and no others', () => {
  const read = (CONSUMER_DATABASE: string) =>
    readConfig(serviceSchema, { ...env, CONSUMER_DATABASE }).CONSUMER_DATABASE;
  const moved = (databases: Readonly<Record<string, string>>) =>
    consumers.map((consumer) => ({
      ...consumer,
      database: databases[consumer.name] ?? consumer.database,
    }));
  expect(readConfig(serviceSchema, env).CONSUMER_DATABASE).toEqual(consumers);
  expect(read('catalog=copy')).toEqual(moved({ catalog: 'copy' }));
  expect(read('comments=b,catalog=a')).toEqual(moved({ catalog: 'a', comments: 'b' }));
  for (const wrong of ['copy', 'unknown=copy', 'catalog=a,', 'catalog=a;b', 'catalog=a,catalog=b'])
    expect(() => read(wrong)).toThrow(/CONSUMER_DATABASE: .*must be <consumer>=<database>/);
});
