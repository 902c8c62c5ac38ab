import { createOutboxTable } from '@board/outbox';
import {
  createTestSchema,
  readTopic,
  uniqueName,
  waitUntil,
  type StackAddresses,
  type TopicRecord,
} from '@board/test';
import {
  connectApi,
  connectorTopics,
  defineConnector,
  eventTopic,
  type ConnectorDefinition,
} from '../../src/index.ts';
import { openAdmin } from '@board/kafka';

export interface OutboxRow {
  readonly id: string;
  readonly aggregateId: string;
  readonly version: number;
  readonly key: string;
  readonly type: string;
  readonly payload: Buffer;
  readonly traceparent: string | null;
  /** In UTC, as MySQL writes it. */
  readonly occurredAt: string;
}

export interface TemporaryOutbox {
  /** A connector for this outbox, with topics of its own; nothing is registered yet. */
  readonly definition: ConnectorDefinition;
  /** The schema's name. */
  readonly database: string;
  insert(row: OutboxRow): Promise<void>;
  query(sql: string): Promise<void>;
  /** Everything in the topic of the events, once it satisfies `isComplete`. */
  readShipped(isComplete: (records: readonly TopicRecord[]) => boolean): Promise<TopicRecord[]>;
  /** Takes away connector, schema and topics. */
  close(): Promise<void>;
}

/** Makes a schema with the outbox table of the pipeline's migration, for one test. */
export async function openTemporaryOutbox(stack: StackAddresses): Promise<TemporaryOutbox> {
  const schema = await createTestSchema(stack);
  await schema.root.query(createOutboxTable(['board']));
  const name = uniqueName();
  const definition = defineConnector({
    name,
    database: schema.name,
    serverId: 200_000 + Math.floor(Math.random() * 1_000_000),
    topic: `${name}.board`,
  });

  return {
    definition,
    database: schema.name,
    async insert(row) {
      await schema.root.query(
        'INSERT INTO outbox (id, aggregatetype, aggregateid, version, partition_key, type, payload, traceparent, occurred_at)' +
          " VALUES (?, 'board', ?, ?, ?, ?, ?, ?, ?)",
        [
          row.id,
          row.aggregateId,
          row.version,
          row.key,
          row.type,
          row.payload,
          row.traceparent,
          row.occurredAt,
        ],
      );
    },
    async query(sql) {
      await schema.root.query(sql);
    },
    readShipped(isComplete) {
      return waitUntil('the rows are in the topic', async () => {
        const records = await readTopic(stack.brokers, eventTopic(definition, 'board'));
        return isComplete(records) && records;
      });
    },
    async close() {
      const api = connectApi(stack.connectUrl);
      if ((await api.getConfig(name)) !== undefined) await api.remove(name);
      await schema.drop();
      await deleteTopics(stack.brokers, Object.values(connectorTopics(definition)).flat());
    },
  };
}

async function deleteTopics(brokers: readonly string[], names: readonly string[]): Promise<void> {
  const admin = await openAdmin({ brokers });
  try {
    const existing = new Set(await admin.listTopics());
    const topics = names.filter((name) => existing.has(name));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  } finally {
    await admin.disconnect();
  }
}
