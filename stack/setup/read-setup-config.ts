import * as z from 'zod';
import { loopbackHost, type MysqlAdmin, type UserPasswords } from './mysql-users.ts';

export interface SetupConfig {
  readonly admin: MysqlAdmin;
  readonly passwords: UserPasswords;
  /** Host part of the MySQL accounts: `%` where services have addresses of their own. */
  readonly userHost: string;
  readonly brokers: readonly string[];
  readonly registryUrl: string;
  readonly connectUrl: string;
}

const password = z.string().min(1);

const environment = z.object({
  MYSQL_HOST: z.string().default(loopbackHost),
  MYSQL_PORT: z.coerce.number().int().min(1).max(65_535),
  MYSQL_ROOT_PASSWORD: password,
  MYSQL_USER_HOST: z.string().default(loopbackHost),
  ORDER_SERVICE_PASSWORD: password,
  CATALOG_SERVICE_PASSWORD: password,
  CDC_PASSWORD: password,
  MIGRATIONS_PASSWORD: password,
  REGISTRY_PASSWORD: password,
  PURGE_PASSWORD: password,
  AUDIT_PASSWORD: password,
  KAFKA_BROKERS: z.string().min(1),
  REGISTRY_URL: z.url(),
  CONNECT_URL: z.url(),
});

/** Reads the setup's environment; everything that is wrong with it is in one error, which shows no password. */
export function readSetupConfig(env: Readonly<Record<string, string | undefined>>): SetupConfig {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    throw new Error(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
  }
  const {
    MYSQL_HOST,
    MYSQL_PORT,
    MYSQL_ROOT_PASSWORD,
    MYSQL_USER_HOST,
    KAFKA_BROKERS,
    REGISTRY_URL,
    CONNECT_URL,
    ...passwords
  } = parsed.data;
  return {
    admin: { host: MYSQL_HOST, port: MYSQL_PORT, user: 'root', password: MYSQL_ROOT_PASSWORD },
    passwords: {
      order_service: passwords.ORDER_SERVICE_PASSWORD,
      catalog_service: passwords.CATALOG_SERVICE_PASSWORD,
      cdc: passwords.CDC_PASSWORD,
      migrations: passwords.MIGRATIONS_PASSWORD,
      registry: passwords.REGISTRY_PASSWORD,
      purge: passwords.PURGE_PASSWORD,
      audit: passwords.AUDIT_PASSWORD,
    },
    userHost: MYSQL_USER_HOST,
    brokers: KAFKA_BROKERS.split(','),
    registryUrl: REGISTRY_URL,
    connectUrl: CONNECT_URL,
  };
}
