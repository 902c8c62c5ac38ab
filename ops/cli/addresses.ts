import { kafkaAccess, kafkaFields, type KafkaAccess } from '@board/kafka';
import { databaseConnection, databaseFields, type Connection } from '@board/mysql';
import { configFields, readConfig } from '@board/service';
import { z } from 'zod';
import { readLocalStack, type LocalStack } from './local-stack.ts';

/** Where the servers of a command are. */
export interface Addresses {
  readonly database: Connection;
  readonly kafka: KafkaAccess;
  readonly registryUrl: string;
  readonly connectUrl: string;
}

export type ServerName = keyof Addresses;

/** The MySQL account that a command uses unless the environment names another. */
interface Account {
  readonly user: string;
  /** Its default schema. */
  readonly database: string;
}

/** Which servers a command asks, and with which account it asks MySQL. */
export interface Wanted<Name extends ServerName> {
  readonly servers: readonly Name[];
  readonly account?: Account;
}

const fields = {
  database: databaseFields,
  kafka: kafkaFields,
  registryUrl: { REGISTRY_URL: configFields.httpUrl() },
  connectUrl: { CONNECT_URL: configFields.httpUrl() },
} satisfies Record<ServerName, z.ZodRawShape>;

const everything = z.object({
  ...fields.database,
  ...fields.kafka,
  ...fields.registryUrl,
  ...fields.connectUrl,
});

/** The variables that name the servers, for --help. */
export function describeVariables({ servers, account }: Wanted<ServerName>): string {
  const variables = [
    ...(servers.includes('database')
      ? [`DATABASE_HOST, _PORT, _NAME, _USER (${account?.user}), _PASSWORD`]
      : []),
    ...(servers.includes('kafka') ? ['KAFKA_BROKERS'] : []),
    ...(servers.includes('registryUrl') ? ['REGISTRY_URL'] : []),
    ...(servers.includes('connectUrl') ? ['CONNECT_URL'] : []),
  ];
  const login = '\nKAFKA_USER, KAFKA_PASSWORD, KAFKA_CA_FILE where Kafka asks for a login.';
  return `Environment: ${variables.join(', ')}${servers.includes('kafka') ? `;${login}` : '.'}`;
}

/**
 * Where the servers are: as the environment names them, or, when it names none, those of the local
 * stack. Throws ConfigError with everything that is wrong or missing, and an Error when there is
 * neither.
 */
export function readAddresses<Name extends ServerName>(
  env: Readonly<Record<string, string | undefined>>,
  instance: string,
  { servers, account }: Wanted<Name>,
): Pick<Addresses, Name> {
  const schema = z.object(
    Object.assign({}, ...servers.map((name) => fields[name])) as typeof everything.shape,
  );
  const variables = Object.keys(schema.shape);
  // All of the one or all of the other: half of each would send dead letters of that database to
  // this stack's Kafka.
  const isNamed = variables.some(
    (name) => env[name] !== undefined || env[`${name}_FILE`] !== undefined,
  );
  const stack = isNamed ? undefined : readLocalStack(instance);
  if (stack === undefined && !isNamed) throw new Error(doesNotRun(instance, variables[0] ?? ''));
  const values = {
    ...(account && { DATABASE_NAME: account.database, DATABASE_USER: account.user }),
    ...(stack && valuesOf(stack, account)),
    ...env,
  };
  const config = readConfig(schema, values);
  const read: { readonly [Server in ServerName]: () => Addresses[Server] } = {
    database: () => databaseConnection(config),
    kafka: () => kafkaAccess(config),
    registryUrl: () => config.REGISTRY_URL,
    connectUrl: () => config.CONNECT_URL,
  };
  return Object.fromEntries(servers.map((name) => [name, read[name]()])) as Pick<Addresses, Name>;
}

function doesNotRun(instance: string, variable: string): string {
  const start = instance === 'main' ? 'npm start' : `npm start -- --instance ${instance}`;
  return (
    `The stack "${instance}" does not run, and the environment names no other servers: start it with ` +
    `"${start}", or set ${variable} and the variables that --help lists.`
  );
}

/** Under the names that the environment has for them; what has not been started yet is left out. */
function valuesOf(stack: LocalStack, account: Account | undefined): Record<string, string> {
  const [host, port] = stack.addressOf('mysql')?.split(':') ?? [];
  const brokers = [1, 2, 3]
    .map((id) => stack.addressOf(`kafka-${id}`))
    .filter((address) => address !== undefined);
  const values = {
    DATABASE_HOST: host,
    DATABASE_PORT: port,
    DATABASE_PASSWORD: account && stack.passwordOf(account.user),
    KAFKA_BROKERS: brokers.length === 0 ? undefined : brokers.join(','),
    REGISTRY_URL: stack.addressOf('registry'),
    CONNECT_URL: stack.addressOf('connect'),
  };
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
