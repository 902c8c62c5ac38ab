import { catalogConsumer, consumers } from '@board/contracts';
import { createDatabase } from '@board/mysql';
import type { Operator } from '@board/inbox';
import { connectKafka } from '@board/kafka';
import type { Command } from 'commander';
import { consumerNames, findConsumer, type KnownConsumer } from './consumers.ts';
import { readAddresses } from '../../cli/addresses.ts';
import { createProgram, UsageError, type CommonFlags } from '../../cli/program.ts';
import { watchServers } from '../../cli/watch-servers.ts';

/** The consumer's own account; one that is not known may lie beside the catalog. */
const serversOf = (database = catalogConsumer.database) =>
  ({
    servers: ['database', 'kafka', 'registryUrl'],
    account: { user: database, database },
  }) as const;

export interface ConsumerFlags extends CommonFlags {
  readonly consumer: string;
}

/** A program whose commands ask about one consumer. */
export function createConsumerProgram(name: string, description: string): Command {
  return createProgram({ name, description, servers: serversOf() }).option(
    '--consumer <name>',
    `${consumerNames.join(', ')}, or <group>/<topic>/<aggregate type>`,
    'catalog',
  );
}

export interface Opened {
  readonly operator: Operator;
  readonly consumer: KnownConsumer;
  readonly registryUrl: string;
}

/** Connects to the consumer's servers, lets `work` use them and closes what it opened. */
export async function withOperator<Result>(
  { instance, consumer: name }: ConsumerFlags,
  work: (opened: Opened) => Promise<Result>,
): Promise<Result> {
  const consumer = findConsumer(name);
  if (consumer === undefined)
    throw new UsageError(
      `--consumer got "${name}", wants ${consumerNames.join(', ')} or <group>/<topic>/<aggregate type>`,
    );
  const {
    database: connection,
    kafka,
    registryUrl,
  } = readAddresses(process.env, instance, serversOf(consumer.database));
  // An environment made for another consumer: what is looked for would be missing there, and look
  // as if it were well.
  const owner = consumers.find((other) => other.database === connection.name);
  if (
    owner !== undefined &&
    consumer.database !== undefined &&
    owner.database !== consumer.database
  )
    throw new UsageError(
      `--consumer got "${name}"; DATABASE_NAME is ${connection.name}, the database of ${owner.name}`,
    );
  watchServers({ database: connection, kafka });
  const database = createDatabase({ connection, entities: [] });
  try {
    await database.open().catch((cause: unknown) => {
      throw new Error(
        `the database at ${connection.host}:${connection.port} cannot be used ("npm run stack -- status" shows a local one)`,
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
