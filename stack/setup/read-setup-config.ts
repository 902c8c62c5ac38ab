import { configFields, readConfig } from '@board/service';
import { z } from 'zod';
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

/** The variables that the setup reads. */
export const setupEnvironment = z.object({
  MYSQL_HOST: configFields.host().default(loopbackHost),
  MYSQL_PORT: configFields.port(),
  MYSQL_ROOT_PASSWORD: configFields.secret(),
  MYSQL_USER_HOST: configFields.text().default(loopbackHost),
  ORDER_SERVICE_PASSWORD: configFields.secret(),
  CATALOG_SERVICE_PASSWORD: configFields.secret(),
  CDC_PASSWORD: configFields.secret(),
  MIGRATIONS_PASSWORD: configFields.secret(),
  REGISTRY_PASSWORD: configFields.secret(),
  PURGE_PASSWORD: configFields.secret(),
  AUDIT_PASSWORD: configFields.secret(),
  KAFKA_BROKERS: configFields.addresses(),
  REGISTRY_URL: configFields.httpUrl(),
  CONNECT_URL: configFields.httpUrl(),
});

/** Reads the setup's environment; everything that is wrong with it is in one error, which shows no password. */
export function readSetupConfig(env: Readonly<Record<string, string | undefined>>): SetupConfig {
  const {
    MYSQL_HOST,
    MYSQL_PORT,
    MYSQL_ROOT_PASSWORD,
    MYSQL_USER_HOST,
    KAFKA_BROKERS,
    REGISTRY_URL,
    CONNECT_URL,
    ...passwords
  } = readConfig(setupEnvironment, env);
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
    brokers: KAFKA_BROKERS,
    registryUrl: REGISTRY_URL,
    connectUrl: CONNECT_URL,
  };
}
