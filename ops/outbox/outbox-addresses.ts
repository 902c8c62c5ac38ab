import { databaseConnection, databaseFields } from '@board/mysql';
import { kafkaAccess, kafkaFields } from '@board/kafka';
import { configFields, readConfig } from '@board/service';
import { z } from 'zod';
import { localStack, serverValues, type LocalStack } from '../local-stack.ts';

const schema = z.object({
  ...databaseFields,
  ...kafkaFields,
  CONNECT_URL: configFields.httpUrl(),
});

/** Where the outbox and its relay are: what the environment names, the rest as in the local stack; throws ConfigError. */
export function outboxAddresses(env: NodeJS.ProcessEnv, instance: string) {
  const config = readConfig(schema, { ...valuesOf(localStack(env, instance)), ...env });
  return { database: databaseConnection(config), kafka: kafkaAccess(config), connectUrl: config.CONNECT_URL };
}

function valuesOf(stack: LocalStack | undefined): NodeJS.ProcessEnv {
  if (stack === undefined) return {};
  const { ports, secrets } = stack;
  return {
    ...serverValues(stack),
    DATABASE_NAME: 'order_service',
    DATABASE_USER: 'purge',
    DATABASE_PASSWORD: secrets.purge,
    CONNECT_URL: `http://127.0.0.1:${ports.connect}`,
  };
}
