import { existsSync } from 'node:fs';
import { kafkaAccess, kafkaFields } from '@board/kafka';
import { configFields, readConfig } from '@board/service';
import { z } from 'zod';
import { localStack, serverValues, type LocalStack } from '../local-stack.ts';

const schema = z.object({
  DATABASE_HOST: configFields.host(),
  DATABASE_PORT: configFields.port(),
  /** Reads both schemas and writes nothing. */
  DATABASE_USER: configFields.text().default('audit'),
  DATABASE_PASSWORD: configFields.secret(),
  ...kafkaFields,
});

/** Where the traced servers and logs are: what the environment names, else those of the local stack; throws ConfigError. */
export function traceAddresses(env: NodeJS.ProcessEnv, instance: string) {
  const stack = localStack(env, instance);
  const config = readConfig(schema, { ...(stack && valuesOf(stack)), ...env });
  return {
    database: {
      host: config.DATABASE_HOST,
      port: config.DATABASE_PORT,
      user: config.DATABASE_USER,
      password: config.DATABASE_PASSWORD,
    },
    kafka: kafkaAccess(config),
    // Other servers have other logs.
    logFiles: stack === undefined || env['DATABASE_HOST'] !== undefined ? [] : logFilesOf(stack),
  };
}

function valuesOf(stack: LocalStack): NodeJS.ProcessEnv {
  return {
    ...serverValues(stack),
    DATABASE_PASSWORD: stack.secrets.audit,
  };
}

/** The services' logs, those of the start before too. */
function logFilesOf({ state }: LocalStack): string[] {
  return state.processes
    .filter(({ name }) => /^(order|catalog)-service/.test(name))
    .flatMap(({ logFile }) => [`${logFile}.1`, logFile])
    .filter((file) => existsSync(file));
}
