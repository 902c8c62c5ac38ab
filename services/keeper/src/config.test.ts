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

it('a keeper that is told of one consumer group REFUSES to start: the contracts name the consumers', () => {
  expect(readConfig(serviceSchema, env)).not.toHaveProperty('CONSUMER_GROUP');
  expect(() => readConfig(serviceSchema, { ...env, CONSUMER_GROUP: 'other' })).toThrow(
    /CONSUMER_GROUP: .*take it away/,
  );
});
