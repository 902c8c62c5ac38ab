import {
  aggregates,
  consumerFlag,
  consumers,
  keeperMemoryTopic,
  type ConsumerDefinition,
} from '@board/contracts';
import {
  auditConsumer,
  unaudited,
  auditedTopics,
  findUnread,
  waitForGroups,
  type AuditReport,
  type Barrier,
} from '@board/inbox';
import { connectKafka, openCompactedTopic, type KafkaAccess } from '@board/kafka';
import {
  boardOutbox,
  connectApi,
  findBlockingIncident,
  relayMemory,
  waitUntilShipped,
} from '@board/relay';
import { must } from '@board/service';
import { describeError } from '../../cli/program.ts';
import { connectSql, type DatabaseAddress, type RunSql } from '../../cli/run-sql.ts';
import { comparedContents } from '../consumer/consumers.ts';
import { clearMissing, closeIncident, noteKeeper, readMissing } from './close-after-audit.ts';
import { consumerSide, sourceSide } from './read-sides.ts';

/** What is audited, over which servers, and how long it may wait. */
export interface PipelineAudit {
  readonly database: DatabaseAddress;
  readonly kafka: KafkaAccess;
  readonly connectUrl: string;
  /** How long to wait for the connector, and then again for each consumer's groups. */
  readonly timeoutMs: number;
  /** How many aggregates of each verdict are listed. */
  readonly listed?: number;
  readonly printProgress?: (line: string) => void;
  /** Default: all consumers of the pipeline. */
  readonly consumers?: readonly ConsumerDefinition[];
  /** Names that differ from the pipeline's own. */
  readonly places?: Partial<AuditPlaces>;
  readonly chunkSize?: number;
}

/** The databases, topics and groups that an audit reads. */
export interface AuditPlaces {
  readonly sourceSchema: string;
  readonly consumerSchema: string;
  readonly connector: string;
  readonly topic: string;
  readonly group: string;
  readonly memory: string;
}

/** The audit of one consumer. */
export interface ConsumerAuditReport extends AuditReport {
  /** The consumer's name. */
  readonly consumer: string;
  /** Sentences for the operator beside the verdicts. */
  readonly notes: readonly string[];
}

/**
 * Compares every aggregate of its own service with what each consumer has of it, one consumer after
 * the other. When all are clean, it closes the keeper's incident and clears missing ranges. Throws
 * when a server is not reachable or the first consumer cannot be audited.
 */
export async function auditConsumers(options: PipelineAudit): Promise<ConsumerAuditReport[]> {
  const { places = {} } = options;
  const connector = places.connector ?? boardOutbox.name;
  const kafka = connectKafka(options.kafka, 'audit');
  const memory = relayMemory(
    openCompactedTopic(kafka, places.memory ?? keeperMemoryTopic.name),
    connector,
  );
  const { sql, close } = await connectSql(options.database);
  try {
    // Read before anything is compared: this audit must not close an incident that is opened later.
    const remembered = await memory.read();
    // Noted before the waits: the keeper goes on observing meanwhile.
    const keeperNotes = noteKeeper(remembered);
    const blockedBy = (): ReturnType<typeof findBlockingIncident> =>
      findBlockingIncident(memory, 'audit');
    const reports: ConsumerAuditReport[] = [];
    for (const consumer of options.consumers ?? consumers) {
      const audited = auditOne(options, consumer, { kafka, sql, connector, blockedBy }).catch(
        (error: unknown) => {
          // A failure at a later consumer, such as a missing database, must not hide what was
          // found before.
          if (reports.length === 0) throw error;
          return { ...unaudited(describeError(error)), consumer: consumer.name, notes: [] };
        },
      );
      reports.push(await audited);
    }
    const commonNotes = [
      ...keeperNotes,
      ...(await closeIncident(memory, remembered, reports, isWhole(options.consumers))),
    ];
    return reports.map((report) => ({ ...report, notes: [...commonNotes, ...report.notes] }));
  } finally {
    await close();
    await memory.close();
  }
}

/** Whether every type of aggregate and every consumer was compared. */
function isWhole(audited: readonly ConsumerDefinition[] = consumers): boolean {
  return (
    consumers.every((consumer) => audited.includes(consumer)) &&
    aggregates.every(({ type }) => audited.some(({ aggregateType }) => aggregateType === type))
  );
}

interface AuditTools {
  readonly kafka: ReturnType<typeof connectKafka>;
  readonly sql: RunSql;
  readonly connector: string;
  readonly blockedBy: () => ReturnType<typeof findBlockingIncident>;
}

async function auditOne(
  {
    connectUrl,
    timeoutMs,
    listed = 20,
    printProgress = () => undefined,
    chunkSize = 5_000,
    places = {},
  }: PipelineAudit,
  consumer: ConsumerDefinition,
  { kafka, sql, connector, blockedBy }: AuditTools,
): Promise<ConsumerAuditReport> {
  const { aggregateType } = consumer;
  const aggregate = must(
    aggregates.find(({ type }) => type === aggregateType),
    `the aggregate ${aggregateType}`,
  );
  const group = places.group ?? consumer.group;
  const source = {
    schema: places.sourceSchema ?? aggregate.database,
    table: aggregate.table,
    aggregateType,
  };
  const schema = places.consumerSchema ?? consumer.database;
  const topics = await auditedTopics(kafka, {
    ...consumer,
    group,
    source: { ...consumer.source, name: places.topic ?? consumer.source.name },
  });
  const missing = await readMissing(sql, schema, group);
  const connect = connectApi(connectUrl);

  const barrier = async (): Promise<Barrier> => {
    printProgress(`waiting until the connector ${connector} has shipped everything`);
    const fence = await waitUntilShipped({
      connect,
      mysql: sql,
      connector,
      timeoutMs,
      blockedBy: blockedBy(),
    });
    if (fence.kind !== 'passed') return fence;
    printProgress(`waiting until the group ${group} has processed everything`);
    return waitForGroups(kafka, topics, timeoutMs);
  };

  const compared = comparedContents[consumer.name];
  const report = await auditConsumer({
    source: sourceSide(sql, source, compared),
    consumer: consumerSide(sql, { schema, group, aggregateType }, compared),
    barrier,
    findUnread: (events) => findUnread(kafka, topics, events),
    chunkSize,
    listed,
    consumerFlag: consumerFlag(consumer.name),
    onProgress: (done, unequal) =>
      printProgress(`${done} ${aggregate.table}s compared, ${unequal} are compared again`),
  });
  return {
    ...report,
    consumer: consumer.name,
    notes: await clearMissing(sql, schema, group, missing, report),
  };
}
