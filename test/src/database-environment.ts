import type { TestSchema } from './test-schema.ts';

/** The variables by which a service finds its database. */
export function databaseEnvironment({
  host,
  port,
  name,
  user,
  password,
}: TestSchema['connection']) {
  return {
    DATABASE_HOST: host,
    DATABASE_PORT: String(port),
    DATABASE_NAME: name,
    DATABASE_USER: user,
    DATABASE_PASSWORD: password,
  };
}
