import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { kafkaAccess, kafkaFields, type KafkaAccess } from '@board/kafka';
import { databaseConnection, databaseFields, type Connection } from '@board/mysql';
import { configFields, isRunning, readConfig } from '@board/service';
import { z } from 'zod';

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
export interface CommandServers<Name extends ServerName> {
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
export function describeVariables({ servers, account }: CommandServers<ServerName>): string {
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
 * Returns the addresses that the environment names or, when it names none, those of the local
 * stack. Throws ConfigError with every variable that is wrong or missing, and an Error when neither
 * the environment nor a running stack names a server.
 */
export function readAddresses<Name extends ServerName>(
  env: Readonly<Record<string, string | undefined>>,
  instance: string,
  { servers, account }: CommandServers<Name>,
): Pick<Addresses, Name> {
  const schema = z.object(
    Object.assign({}, ...servers.map((name) => fields[name])) as typeof everything.shape,
  );
  const variables = Object.keys(schema.shape);
  // The environment or the stack, never a mixture: it would send dead letters of one database to
  // the Kafka of another.
  const isNamed = variables.some(
    (name) => env[name] !== undefined || env[`${name}_FILE`] !== undefined,
  );
  const stack = isNamed ? undefined : readLocalStack(instance);
  if (stack === undefined && !isNamed) throw new Error(doesNotRun(instance, variables[0] ?? ''));
  const values = {
    ...(account && { DATABASE_NAME: account.database, DATABASE_USER: account.user }),
    ...(stack && variablesOf(stack, account)),
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
    `The stack "${instance}" does not run, and the environment names no other servers: ` +
    `start it with "${start}", or set ${variable} and the variables that --help lists.`
  );
}

/** By the names of the environment's variables; a server that has not been started is left out. */
function variablesOf(stack: LocalStack, account: Account | undefined): Record<string, string> {
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

const stacks = resolve(import.meta.dirname, '../../.stack');

const stateFile = z.object({
  supervisor: z.object({ pid: z.number(), startTime: z.string(), bootId: z.string() }),
  processes: z.array(z.object({ name: z.string(), address: z.string(), logFile: z.string() })),
});
const secretsFile = z.record(z.string(), z.string());

/** What the launcher of this checkout has written about a stack that it keeps running. */
export interface LocalStack {
  /** Undefined until the server is started. */
  readonly addressOf: (server: string) => string | undefined;
  readonly passwordOf: (user: string) => string | undefined;
  /** One per process, of the present start. */
  readonly logFiles: readonly { readonly name: string; readonly logFile: string }[];
}

/** Reads the stack's files below `.stack`; undefined when no launcher keeps it running. */
export function readLocalStack(instance: string): LocalStack | undefined {
  const [state, secrets] = [
    `${stacks}/${instance}/run/state.json`,
    `${stacks}/${instance}/secrets.json`,
  ];
  if (!existsSync(state) || !existsSync(secrets)) return undefined;
  const { supervisor, processes } = stateFile.parse(JSON.parse(readFileSync(state, 'utf8')));
  if (!isRunning(supervisor)) return undefined;
  const passwords = secretsFile.parse(JSON.parse(readFileSync(secrets, 'utf8')));
  return {
    addressOf: (server) => processes.find(({ name }) => name === server)?.address,
    passwordOf: (user) => passwords[user],
    logFiles: processes,
  };
}
