import { kafkaAccess, kafkaFields } from '@board/kafka';
import { configFields, readConfig } from '@board/service';
import { z } from 'zod';
import { localStack, serverValues, type LocalStack } from '../local-stack.ts';

const schema = z.object({
  DATABASE_HOST: configFields.host(),
  DATABASE_PORT: configFields.port(),
  /** Reads both schemas, writes nothing, and may FLUSH OPTIMIZER_COSTS. */
  DATABASE_USER: configFields.text().default('audit'),
  DATABASE_PASSWORD: configFields.secret(),
  ...kafkaFields,
  CONNECT_URL: configFields.httpUrl(),
});

/** Where the audited servers are: what the environment names, the rest as in the local stack; throws ConfigError. */
export function auditAddresses(env: NodeJS.ProcessEnv, instance: string) {
  const config = readConfig(schema, { ...valuesOf(localStack(env, instance)), ...env });
  return {
    database: {
      host: config.DATABASE_HOST,
      port: config.DATABASE_PORT,
      user: config.DATABASE_USER,
      password: config.DATABASE_PASSWORD,
    },
    kafka: kafkaAccess(config),
    connectUrl: config.CONNECT_URL,
  };
}

function valuesOf(stack: LocalStack | undefined): NodeJS.ProcessEnv {
  if (stack === undefined) return {};
  const { ports, secrets } = stack;
  return {
    ...serverValues(stack),
    DATABASE_PASSWORD: secrets.audit,
    CONNECT_URL: `http://127.0.0.1:${ports.connect}`,
  };
}
