import { connectApi, connectorTopics, relayMemory, type ConnectApi, type RelayMemoryStore } from '@board/relay';
import { openSession, type Session } from '@board/mysql';
import { auditedTopics, findUnreceived } from '@board/inbox';
import { connectKafka, openCompactedTopic } from '@board/kafka';
import type { OutboxPurge } from '@board/outbox';
import { boardTopic, catalogConsumer } from '@board/contracts';
import { watchServers } from '../operate/watch-servers.ts';
import { outboxAddresses } from './outbox-addresses.ts';

/** Options that every command has. */
export interface OutboxFlags {
  readonly instance: string;
  readonly connector: string;
  readonly memoryTopic: string;
  readonly group: string;
  readonly consumerDatabase: string;
  readonly json?: true;
}

export interface OpenedOutbox {
  readonly session: Session;
  readonly connect: ConnectApi;
  readonly memory: RelayMemoryStore;
  /** Asks the consumer for events whose rows are to be deleted. */
  readonly findUnreceived: OutboxPurge['findUnreceived'];
}

/** An operator thinks before the answer, and a connector takes its time; no transaction is open meanwhile. */
const idleSeconds = 3_600;

/**
 * Connects to the outbox and to what relays it, lets `work` use them and closes what it opened. A server that falls silent
 * ends the process at once; with `stop`, that is aborted first, and `work` has a while to take back what it has begun.
 */
export async function withOutbox<Result>(
  { instance, connector, memoryTopic, group, consumerDatabase }: OutboxFlags,
  work: (opened: OpenedOutbox) => Promise<Result>,
  stop?: AbortController,
): Promise<Result> {
  const { database, kafka, connectUrl } = outboxAddresses(process.env, instance);
  watchServers({ database, kafka, connectUrl }, { ...(stop !== undefined && { stop }) });
  const session = await openSession(database, { waits: { idleSeconds } }).catch((cause: unknown) => {
    throw new Error(
      `the database at ${database.host}:${database.port} cannot be used ("npm run stack -- status" shows a local one)`,
      { cause },
    );
  });
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
        if (definition === undefined) throw new Error(`the connector ${connector} is not registered`);
        const source = { ...boardTopic, name: connectorTopics(definition).events };
        const topics = await auditedTopics(client, { ...catalogConsumer, group, source });
        const readerPrefix = 'outbox-operator.';
        return findUnreceived(
          { kafka: client, topics, query: session.query, database: consumerDatabase, readerPrefix },
          rows,
        );
      },
    });
  } finally {
    await memory.close();
    await session.close();
  }
}
