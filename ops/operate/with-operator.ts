import { createDatabase } from '@board/mysql';
import type { Operator } from '@board/inbox';
import { connectKafka } from '@board/kafka';
import { consumerNames, findConsumer, type KnownConsumer } from './consumers.ts';
import { operatorAddresses } from './operator-addresses.ts';
import { UsageError } from './usage-error.ts';
import { watchServers } from './watch-servers.ts';

/** Options that every command has. */
export interface GlobalFlags {
  readonly instance: string;
  readonly consumer: string;
  readonly json?: true;
}

export interface Opened {
  readonly operator: Operator;
  readonly consumer: KnownConsumer;
  readonly registryUrl: string;
}

/** Connects to the consumer's servers, lets `work` use them and closes what it opened. */
export async function withOperator<Result>(
  { instance, consumer: name }: GlobalFlags,
  work: (opened: Opened) => Promise<Result>,
): Promise<Result> {
  const consumer = findConsumer(name);
  if (consumer === undefined)
    throw new UsageError(
      `--consumer got "${name}", wants ${consumerNames.join(', ')} or <group>/<topic>/<aggregate type>`,
    );
  const { database: connection, kafka, registryUrl } = operatorAddresses(process.env, instance);
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
