import { readConfig } from '@board/service';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { kafkaAccess, kafkaFields } from './index.ts';

const read = (env: NodeJS.ProcessEnv) =>
  kafkaAccess(readConfig(z.object(kafkaFields), { KAFKA_BROKERS: 'a:1,b:2', ...env }));

it('kafkaAccess needs no login on loopback', () => {
  expect(read({})).toEqual({ brokers: ['a:1', 'b:2'] });
});

it('kafkaAccess takes a login and a certificate for the brokers', () => {
  const ca = '-----BEGIN CERTIFICATE-----\n';
  expect(read({ KAFKA_USER: 'me', KAFKA_PASSWORD: 'secret', KAFKA_CA: ca })).toEqual({
    brokers: ['a:1', 'b:2'],
    login: { user: 'me', password: 'secret' },
    ca,
  });
});

it('kafkaAccess refuses half a login, and a path where the certificate itself belongs', () => {
  expect(() => read({ KAFKA_USER: 'me' })).toThrow('KAFKA_USER is set and KAFKA_PASSWORD is not');
  expect(() => read({ KAFKA_PASSWORD: 'secret' })).toThrow(
    'KAFKA_PASSWORD is set and KAFKA_USER is not',
  );
  expect(() => read({ KAFKA_CA: '/etc/ca.crt' })).toThrow('KAFKA_CA_FILE names its file');
});
