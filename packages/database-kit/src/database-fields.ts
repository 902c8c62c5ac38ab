import { configFields } from '@board/service-kit';
import { z } from 'zod';
import type { Connection } from './connection-options.ts';

/** The environment variables that say where a service's schema is. */
export const databaseFields = {
  DATABASE_HOST: configFields.host(),
  DATABASE_PORT: configFields.port(),
  DATABASE_NAME: configFields.text(),
  DATABASE_USER: configFields.text(),
  DATABASE_PASSWORD: configFields.secret(),
};

const schema = z.object(databaseFields);

export function databaseConnection(config: z.output<typeof schema>): Connection {
  return {
    host: config.DATABASE_HOST,
    port: config.DATABASE_PORT,
    name: config.DATABASE_NAME,
    user: config.DATABASE_USER,
    password: config.DATABASE_PASSWORD,
  };
}
