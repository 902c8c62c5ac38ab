import { connectApi, relayMemory, type ConnectApi, type RelayMemoryStore } from '@board/connectors';
import { openSession, type Session } from '@board/database-kit';
import { connectKafka, openCompactedTopic } from '@board/kafka-kit';
import { watchServers } from '../operate/watch-servers.ts';
import { outboxAddresses } from './outbox-addresses.ts';

/** Options that every command has. */
export interface OutboxFlags {
  readonly instance: string;
  readonly connector: string;
  readonly memoryTopic: string;
  readonly json?: true;
}

export interface OpenedOutbox {
  readonly session: Session;
  readonly connect: ConnectApi;
  readonly memory: RelayMemoryStore;
}

/** Connects to the outbox and to what relays it, lets `work` use them and closes what it opened. */
export async function withOutbox<Result>(
  { instance, connector, memoryTopic }: OutboxFlags,
  work: (opened: OpenedOutbox) => Promise<Result>,
): Promise<Result> {
  const { database, kafka, connectUrl } = outboxAddresses(process.env, instance);
  watchServers({ database, kafka, connectUrl });
  const session = await openSession(database).catch((cause: unknown) => {
    throw new Error(
      `the database at ${database.host}:${database.port} cannot be used ("npm run stack -- status" shows a local one)`,
      { cause },
    );
  });
  const memory = relayMemory(openCompactedTopic(connectKafka(kafka, 'outbox-operator'), memoryTopic), connector);
  try {
    return await work({ session, connect: connectApi(connectUrl, { timeoutMs: 5_000 }), memory });
  } finally {
    await memory.close();
    await session.close();
  }
}
