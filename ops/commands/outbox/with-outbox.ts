import {
  connectApi,
  eventTopic,
  findOtherTable,
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

/** The account may delete what a purge deletes and read what proves that it may go. */
export const outboxServers = {
  servers: ['database', 'kafka', 'connectUrl'],
  account: { user: 'purge', database: 'order_service' },
} as const;

/** Options of every `outbox` command. */
export interface OutboxFlags extends CommonFlags {
  readonly connector: string;
  readonly memoryTopic: string;
  readonly consumerDatabase?: readonly ConsumerDefinition[];
}

/** What an `outbox` command works with. */
export interface OpenedOutbox {
  readonly session: Session;
  readonly connect: ConnectApi;
  readonly memory: RelayMemoryStore;
  /** Finds which of the events that are to be deleted a consumer has not received. */
  readonly findUnreceived: OutboxPurge['findUnreceived'];
}

/** A connection idles while the operator answers or the connector works; no transaction is open. */
const idleSeconds = 3_600;

/**
 * Connects to the outbox and its relay, runs `work` and closes the connections. A silent server
 * ends the process at once; with `stop`, that is aborted first, so that `work` can undo what it
 * began.
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
        `the database at ${database.host}:${database.port} cannot be used ("npm run stack -- ` +
          'status" shows a local one)',
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

/** Throws when the connector relays another outbox, which must lose neither task nor position. */
export async function assertRelays(
  connect: ConnectApi,
  { query: mysql }: Session,
  connector: string,
): Promise<void> {
  const other = await findOtherTable({ connect, mysql, connector });
  if (other !== undefined) throw new Error(`Nothing was done: ${other}.`);
}
