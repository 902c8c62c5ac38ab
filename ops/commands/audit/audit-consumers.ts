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
import { consumerSide } from './consumer-side.ts';
import { contents } from './contents.ts';
import { clearMissing, readMissing } from './missing-ranges.ts';
import { noteKeeper, closeIncident } from './close-incident.ts';
import { sourceSide } from './source-side.ts';

export interface PipelineAudit {
  readonly database: DatabaseAddress;
  readonly kafka: KafkaAccess;
  readonly connectUrl: string;
  /** For the connector, and then for the consumers, to come as far as the aggregates are. */
  readonly timeoutMs: number;
  /** How many aggregates of each verdict are listed. */
  readonly listed?: number;
  readonly say?: (line: string) => void;
  /** Default: all of the pipeline. */
  readonly consumers?: readonly ConsumerDefinition[];
  /** Where all of it is, when not in the pipeline's own places. */
  readonly places?: Partial<AuditPlaces>;
  readonly chunkSize?: number;
}

/** Where an audit looks; for each consumer what is not named is its own. */
export interface AuditPlaces {
  readonly sourceSchema: string;
  readonly consumerSchema: string;
  readonly connector: string;
  readonly topic: string;
  readonly group: string;
  readonly memory: string;
}

export interface ConsumerAuditReport extends AuditReport {
  /** The consumer's name. */
  readonly consumer: string;
  /** What the reader should know beside the verdicts. */
  readonly notes: readonly string[];
}

/**
 * Compares every aggregate of its own service with what each consumer has of it, one consumer after
 * the other. When all are clean, that settles the keeper's suspicion.
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
    // Before anything is compared: what is suspected later is not settled by this audit.
    const remembered = await memory.read();
    // Now, not after all the waiting: the keeper goes on looking meanwhile.
    const keeperNotes = noteKeeper(remembered);
    const blockedBy = (): ReturnType<typeof findBlockingIncident> =>
      findBlockingIncident(memory, 'audit');
    const reports: ConsumerAuditReport[] = [];
    for (const consumer of options.consumers ?? consumers) {
      const audited = auditOne(options, consumer, { kafka, sql, connector, blockedBy }).catch(
        (error: unknown) => {
          // A later consumer's trouble, such as a database that is not there yet, must not hide
          // what was found before.
          if (reports.length === 0) throw error;
          return { ...unaudited(describeError(error)), consumer: consumer.name, notes: [] };
        },
      );
      reports.push(await audited);
    }
    const said = [
      ...keeperNotes,
      ...(await closeIncident(memory, remembered, reports, isWhole(options.consumers))),
    ];
    return reports.map((report) => ({ ...report, notes: [...said, ...report.notes] }));
  } finally {
    await close();
    await memory.close();
  }
}

/**
 * Only what was compared can show that nothing was passed over: every kind of aggregate, at every
 * consumer.
 */
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
    say = () => undefined,
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
    say(`waiting until the connector ${connector} has shipped everything`);
    const fence = await waitUntilShipped({
      connect,
      mysql: sql,
      connector,
      timeoutMs,
      blockedBy: blockedBy(),
    });
    if (fence !== 'passed') return fence;
    say(`waiting until the group ${group} has settled everything`);
    return waitForGroups(kafka, topics, timeoutMs);
  };

  const compared = contents[consumer.name];
  const report = await auditConsumer({
    source: sourceSide(sql, source, compared),
    consumer: consumerSide(sql, { schema, group, aggregateType }, compared),
    barrier,
    findUnread: (wanted) => findUnread(kafka, topics, wanted),
    chunkSize,
    listed,
    consumerFlag: consumerFlag(consumer.name),
    onProgress: (done, suspects) =>
      say(`${done} ${aggregate.table}s compared, ${suspects} need a second look`),
  });
  return {
    ...report,
    consumer: consumer.name,
    notes: await clearMissing(sql, schema, group, missing, report),
  };
}
