import { configFields, readConfig } from '@board/service';
import { z } from 'zod';
import { loopbackHost, mysqlUsers, type MysqlAdmin, type UserPasswords } from './mysql-users.ts';

/** The addresses of the servers, and their users with passwords. */
export interface ProvisionConfig {
  readonly admin: MysqlAdmin;
  readonly passwords: UserPasswords;
  /** Host part of the MySQL accounts: `%` where services have addresses of their own. */
  readonly userHost: string;
  readonly brokers: readonly string[];
  readonly registryUrl: string;
  readonly connectUrl: string;
}

/** The variable that holds a user's password. */
export function passwordVariable(user: string): string {
  return `${user.toUpperCase()}_PASSWORD`;
}

const passwordFields = Object.fromEntries(
  mysqlUsers.map((user) => [passwordVariable(user), configFields.secret()]),
);

/** The variables that provisioning reads. */
export const provisionEnvironment = z.object({
  MYSQL_HOST: configFields.host().default(loopbackHost),
  MYSQL_PORT: configFields.port(),
  MYSQL_ROOT_PASSWORD: configFields.secret(),
  MYSQL_USER_HOST: configFields.text().default(loopbackHost),
  ...passwordFields,
  KAFKA_BROKERS: configFields.addresses(),
  REGISTRY_URL: configFields.httpUrl(),
  CONNECT_URL: configFields.httpUrl(),
});

/**
 * Reads the environment; everything that is wrong with it is in one error, which shows no password.
 */
export function readProvisionConfig(
  env: Readonly<Record<string, string | undefined>>,
): ProvisionConfig {
  const config = readConfig(provisionEnvironment, env);
  const passwordOf = z.record(z.string(), z.unknown()).parse(config);
  return {
    admin: {
      host: config.MYSQL_HOST,
      port: config.MYSQL_PORT,
      user: 'root',
      password: config.MYSQL_ROOT_PASSWORD,
    },
    passwords: Object.fromEntries(
      mysqlUsers.map((user) => [user, String(passwordOf[passwordVariable(user)])]),
    ) as UserPasswords,
    userHost: config.MYSQL_USER_HOST,
    brokers: config.KAFKA_BROKERS,
    registryUrl: config.REGISTRY_URL,
    connectUrl: config.CONNECT_URL,
  };
}

/** The same as variables: what a process is given that runs `main.ts`. */
export function provisionVariables(config: ProvisionConfig): Record<string, string> {
  return {
    MYSQL_HOST: config.admin.host,
    MYSQL_PORT: String(config.admin.port),
    MYSQL_ROOT_PASSWORD: config.admin.password,
    MYSQL_USER_HOST: config.userHost,
    KAFKA_BROKERS: config.brokers.join(','),
    REGISTRY_URL: config.registryUrl,
    CONNECT_URL: config.connectUrl,
    ...Object.fromEntries(
      mysqlUsers.map((user) => [passwordVariable(user), config.passwords[user] ?? '']),
    ),
  };
}
