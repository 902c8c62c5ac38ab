import { boardOutbox, connectApi, noteGtid, waitForFence } from '@board/connectors';
import { boardTopic, catalogGroup } from '@board/contracts';
import { auditConsumer, auditedTopics, findUnread, waitForGroups, type AuditReport, type Barrier } from '@board/inbox';
import { connectKafka, type KafkaAccess } from '@board/kafka-kit';
import { boardSource } from './board-source.ts';
import { catalogConsumer } from './catalog-consumer.ts';
import { connectSql, type DatabaseAddress } from './run-sql.ts';

export interface BoardAudit {
  readonly database: DatabaseAddress;
  readonly kafka: KafkaAccess;
  readonly connectUrl: string;
  /** For the connector, and then for the consumers, to come as far as the boards are. */
  readonly timeoutMs: number;
  /** How many boards of each verdict are listed. */
  readonly listed?: number;
  readonly say?: (line: string) => void;
  /** Where all of it is, when not in the pipeline's own places. */
  readonly places?: Partial<typeof pipeline>;
  readonly chunkSize?: number;
}

const pipeline = {
  sourceSchema: 'order_service',
  consumerSchema: 'catalog_service',
  connector: boardOutbox.name,
  topic: boardTopic.name,
  group: catalogGroup,
};

/** Compares every board of order-service with what catalog-service has of it. */
export async function auditBoards(options: BoardAudit): Promise<AuditReport> {
  const {
    database,
    kafka: access,
    connectUrl,
    timeoutMs,
    listed = 20,
    say = () => undefined,
    chunkSize = 5_000,
  } = options;
  const { sourceSchema, consumerSchema, connector, topic, group } = { ...pipeline, ...options.places };
  const { sql, close } = await connectSql(database);
  try {
    const kafka = connectKafka(access, 'audit');
    const topics = auditedTopics(group, { ...boardTopic, name: topic });
    const connect = connectApi(connectUrl);

    const barrier = async (): Promise<Barrier> => {
      say(`waiting until the connector ${connector} has shipped everything`);
      const fence = await waitForFence({ connect, mysql: sql, connector, gtid: await noteGtid(sql), timeoutMs });
      if (fence !== 'passed') return fence;
      say(`waiting until the group ${group} has settled everything`);
      return waitForGroups(kafka, topics, timeoutMs);
    };

    return await auditConsumer({
      source: boardSource(sql, sourceSchema),
      consumer: catalogConsumer(sql, consumerSchema, group),
      barrier,
      findUnread: (places) => findUnread(kafka, topics, places),
      chunkSize,
      listed,
      onProgress: (compared, suspects) => say(`${compared} boards compared, ${suspects} need a second look`),
    });
  } finally {
    await close();
  }
}
