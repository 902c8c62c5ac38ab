import { boardOutbox, connectApi, distrust, relayMemory, waitUntilShipped } from '@board/relay';
import { boardTopic, catalogConsumer, keeperMemoryTopic } from '@board/contracts';
import { auditConsumer, auditedTopics, findUnread, waitForGroups, type AuditReport, type Barrier } from '@board/inbox';
import { connectKafka, openCompactedTopic, type KafkaAccess } from '@board/kafka';
import { boardSource } from './board-source.ts';
import { catalogSide } from './catalog-consumer.ts';
import { clearMissing, readMissing } from './missing-ranges.ts';
import { noteKeeper, settleSuspicion } from './settle-suspicion.ts';
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
  group: catalogConsumer.group,
  memory: keeperMemoryTopic.name,
};

export interface BoardAuditReport extends AuditReport {
  /** What the reader should know beside the verdicts. */
  readonly notes: readonly string[];
}

/** Compares every board of order-service with what catalog-service has of it; a clean result settles the keeper's suspicion. */
export async function auditBoards(options: BoardAudit): Promise<BoardAuditReport> {
  const {
    database,
    kafka: access,
    connectUrl,
    timeoutMs,
    listed = 20,
    say = () => undefined,
    chunkSize = 5_000,
  } = options;
  const places = { ...pipeline, ...options.places };
  const { sourceSchema, consumerSchema, connector, topic, group } = places;
  const kafka = connectKafka(access, 'audit');
  const memory = relayMemory(openCompactedTopic(kafka, places.memory), connector);
  const { sql, close } = await connectSql(database);
  try {
    // Before anything is compared: what is suspected later is not settled by this audit.
    const remembered = await memory.read();
    const missing = await readMissing(sql, consumerSchema, group);
    const consumer = { ...catalogConsumer, group, source: { ...boardTopic, name: topic } };
    const topics = await auditedTopics(kafka, consumer);
    const connect = connectApi(connectUrl);

    const barrier = async (): Promise<Barrier> => {
      say(`waiting until the connector ${connector} has shipped everything`);
      const doubt = distrust(memory, 'audit');
      const fence = await waitUntilShipped({ connect, mysql: sql, connector, timeoutMs, distrust: doubt });
      if (fence !== 'passed') return fence;
      say(`waiting until the group ${group} has settled everything`);
      return waitForGroups(kafka, topics, timeoutMs);
    };

    const report = await auditConsumer({
      source: boardSource(sql, sourceSchema),
      consumer: catalogSide(sql, consumerSchema, group),
      barrier,
      findUnread: (places) => findUnread(kafka, topics, places),
      chunkSize,
      listed,
      onProgress: (compared, suspects) => say(`${compared} boards compared, ${suspects} need a second look`),
    });
    const notes = [
      ...noteKeeper(remembered),
      ...(await settleSuspicion(memory, remembered, report)),
      ...(await clearMissing(sql, consumerSchema, group, missing, report)),
    ];
    return { ...report, notes };
  } finally {
    await close();
    await memory.close();
  }
}
