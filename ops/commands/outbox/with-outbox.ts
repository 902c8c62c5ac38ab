import {
  connectApi,
  eventTopic,
  relayMemory,
  type ConnectApi,
  type RelayMemoryStore,
} from '@board/relay';
import { openSession, type Session } from '@board/mysql';
import { findUnreceived } from '@board/inbox';
import { connectKafka, openCompactedTopic } from '@board/kafka';
import type { OutboxPurge } from '@board/outbox';
import { consumers, type ConsumerDefinition } from '@board/contracts';
import { watchServers } from '../../cli/watch-servers.ts';
import { readAddresses } from '../../cli/addresses.ts';
import type { CommonFlags } from '../../cli/program.ts';

export const outboxServers = {
  servers: ['database', 'kafka', 'connectUrl'],
  account: { user: 'purge', database: 'order_service' },
} as const;

export interface OutboxFlags extends CommonFlags {
  readonly connector: string;
  readonly memoryTopic: string;
  readonly consumerDatabase?: readonly ConsumerDefinition[];
}

export interface OpenedOutbox {
  readonly session: Session;
  readonly connect: ConnectApi;
  readonly memory: RelayMemoryStore;
  /** Asks the consumers for events whose rows are to be deleted. */
  readonly findUnreceived: OutboxPurge['findUnreceived'];
}

/**
 * An operator thinks before the answer, and a connector takes its time; no transaction is open
 * meanwhile.
 */
const idleSeconds = 3_600;

/**
 * Connects to the outbox and to what relays it, lets `work` use them and closes what it opened. A
 * server that falls silent ends the process at once; with `stop`, that is aborted first, and `work`
 * has a while to take back what it has begun.
 */
export async function withOutbox<Result>(
  { instance, connector, memoryTopic, consumerDatabase = consumers }: OutboxFlags,
  work: (opened: OpenedOutbox) => Promise<Result>,
  stop?: AbortController,
): Promise<Result> {
  const { database, kafka, connectUrl } = readAddresses(process.env, instance, outboxServers);
  watchServers({ database, kafka, connectUrl }, { ...(stop !== undefined && { stop }) });
  const session = await openSession(database, { waits: { idleSeconds } }).catch(
    (cause: unknown) => {
      throw new Error(
        `the database at ${database.host}:${database.port} cannot be used ("npm run stack -- status" shows a local one)`,
        { cause },
      );
    },
  );
  const connect = connectApi(connectUrl, { timeoutMs: 5_000 });
  const client = connectKafka(kafka, 'outbox-operator');
  const memory = relayMemory(openCompactedTopic(client, memoryTopic), connector);
  try {
    return await work({
      session,
      connect,
      memory,
      async findUnreceived(rows) {
        const definition = await connect.getConfig(connector);
        if (definition === undefined)
          throw new Error(`the connector ${connector} is not registered`);
        const asked = consumerDatabase.map((consumer) => ({
          ...consumer,
          source: { ...consumer.source, name: eventTopic(definition, consumer.aggregateType) },
        }));
        const readerPrefix = 'outbox-operator.';
        return findUnreceived(
          { kafka: client, consumers: asked, query: session.query, readerPrefix },
          rows,
        );
      },
    });
  } finally {
    await memory.close();
    await session.close();
  }
}
