import { catalogConsumer, consumers } from '@board/contracts';
import { createDatabase } from '@board/mysql';
import type { Operator } from '@board/inbox';
import { connectKafka } from '@board/kafka';
import type { Command } from 'commander';
import { consumerNames, findConsumer, type KnownConsumer } from './consumers.ts';
import { readAddresses } from '../../cli/addresses.ts';
import { createProgram, UsageError, type CommonFlags } from '../../cli/program.ts';
import { watchServers } from '../../cli/watch-servers.ts';

/** The consumer's own account; a consumer without a name may use the catalog's database. */
const serversOf = (database = catalogConsumer.database) =>
  ({
    servers: ['database', 'kafka', 'registryUrl'],
    account: { user: database, database },
  }) as const;

export interface ConsumerFlags extends CommonFlags {
  readonly consumer: string;
}

/** Creates a program whose commands are about one consumer, named with --consumer. */
export function createConsumerProgram(name: string, description: string): Command {
  return createProgram({ name, description, servers: serversOf() }).option(
    '--consumer <name>',
    `${consumerNames.join(', ')}, or <group>/<topic>/<aggregate type>`,
    'catalog',
  );
}

/** What a command on a consumer works with. */
export interface OpenedConsumer {
  readonly operator: Operator;
  readonly consumer: KnownConsumer;
  readonly registryUrl: string;
}

/**
 * Connects to the consumer's servers, runs `work` and closes the connections. Throws UsageError
 * when the consumer is unknown or the environment names another consumer's database.
 */
export async function withOperator<Result>(
  { instance, consumer: name }: ConsumerFlags,
  work: (opened: OpenedConsumer) => Promise<Result>,
): Promise<Result> {
  const consumer = findConsumer(name);
  if (consumer === undefined)
    throw new UsageError(
      `--consumer got "${name}", must be ${consumerNames.join(', ')} or ` +
        '<group>/<topic>/<aggregate type>',
    );
  const ownDatabase = consumer.kind === 'named' ? consumer.database : undefined;
  const {
    database: connection,
    kafka,
    registryUrl,
  } = readAddresses(process.env, instance, serversOf(ownDatabase));
  // In the database of another consumer nothing would be found, and all would look well.
  const owner = consumers.find((other) => other.database === connection.name);
  if (owner !== undefined && ownDatabase !== undefined && owner.database !== ownDatabase)
    throw new UsageError(
      `--consumer got "${name}"; DATABASE_NAME is ${connection.name}, the database of ` +
        owner.name,
    );
  watchServers({ database: connection, kafka });
  const database = createDatabase({ connection, entities: [] });
  try {
    await database.open().catch((cause: unknown) => {
      throw new Error(
        `the database at ${connection.host}:${connection.port} cannot be used ("npm run stack ` +
          '-- status" shows a local one)',
        { cause },
      );
    });
    const { group, aggregateType } = consumer;
    const operator: Operator = {
      consumer: { group, aggregateType },
      dataSource: database.dataSource,
      kafka: connectKafka(kafka, `${group}-operator`),
      now: Date.now,
    };
    return await work({ operator, consumer, registryUrl });
  } finally {
    await database.close();
  }
}

/** The error of a command that needs the consumer's own tables, which are not known. */
export function noOwnRows({ consumer }: ConsumerFlags): UsageError {
  return new UsageError(
    `--consumer ${consumer}: only a consumer with a name has rows that this command knows.`,
  );
}
