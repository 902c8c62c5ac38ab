import { aggregates, type ConsumerDefinition } from '@board/contracts';
import type { KafkaAccess } from '@board/kafka';
import { must } from '@board/service';
import { connectSql, type DatabaseAddress } from '../../cli/run-sql.ts';
import { expectRecords, findRecords } from './find-records.ts';
import type { SearchScope } from './format-timeline.ts';
import { readConsumerSide, readSourceSide } from './read-databases.ts';
import { parseLogLine, type Logs } from './read-logs.ts';
import { toTimeline, type Timeline } from './to-timeline.ts';

/** What is traced, over which servers. */
export interface TraceOptions {
  readonly aggregateId: string;
  /** The consumer to which the events are followed. */
  readonly consumer: ConsumerDefinition;
  readonly database: DatabaseAddress;
  readonly kafka: KafkaAccess;
  readonly logs: Logs;
  /** Earlier facts are left out; ms since the epoch. */
  readonly sinceMs?: number | undefined;
  /** Reads the topic to its end even when every known event was met before. */
  readonly toEnd?: boolean | undefined;
  readonly printProgress?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** Names that differ from the pipeline's own. */
  readonly places?: Partial<Record<'sourceSchema' | 'consumerSchema' | 'topic' | 'group', string>>;
}

/** How far the clocks of services, brokers and database may differ. */
const clockMarginMs = 10 * 60_000;

/**
 * Follows an aggregate through the pipeline to a consumer and only reads; undefined when neither
 * database knows it. `searched` says what was read.
 */
export async function traceAggregate(
  options: TraceOptions,
): Promise<{ readonly timeline: Timeline; readonly searched: SearchScope } | undefined> {
  const {
    aggregateId,
    consumer,
    places = {},
    logs,
    sinceMs,
    toEnd = false,
    printProgress = () => undefined,
  } = options;
  const { aggregateType } = consumer;
  const aggregate = must(
    aggregates.find(({ type }) => type === aggregateType),
    `the aggregate ${aggregateType}`,
  );
  const sourcePlace = { schema: places.sourceSchema ?? aggregate.database, table: aggregate.table };
  const group = places.group ?? consumer.group;
  const topic = places.topic ?? consumer.source.name;
  const { sql, close } = await connectSql(options.database);
  const readConsumer = (): ReturnType<typeof readConsumerSide> =>
    readConsumerSide(sql, {
      schema: places.consumerSchema ?? consumer.database,
      group,
      aggregateType,
      aggregateId,
    });
  try {
    const source = await readSourceSide(sql, { ...sourcePlace, aggregateType, aggregateId });
    const before = await readConsumer();
    const isKnown =
      source.aggregate !== undefined ||
      source.facts.length > 0 ||
      before.mark > 0 ||
      before.facts.length > 0;
    if (!isKnown) return undefined;

    const fromMs = Math.max(1, (sinceMs ?? source.aggregate?.createdAtMs ?? 0) - clockMarginMs);
    const { kafka, signal } = options;
    // Before the topic, which must have the events that the logs name.
    const logged = (await logs.lines(fromMs)).flatMap((line) =>
      parseLogLine(line, { aggregateId, group }),
    );
    const expected =
      sinceMs === undefined && !toEnd && source.aggregate !== undefined
        ? expectRecords(Math.max(source.aggregate.version, before.mark), [
            ...source.facts,
            ...before.facts,
            ...logged,
          ])
        : undefined;
    const records = await findRecords({
      kafka,
      topic,
      group,
      aggregateId,
      fromMs,
      expected,
      printProgress,
      signal,
    });
    // Read again: what was applied while topic and logs were read must not appear to wait.
    const after = await readConsumer();
    const facts = [...logged, ...source.facts, ...records.facts, ...after.facts];
    return {
      timeline: toTimeline({
        aggregateType,
        aggregateId,
        consumer: consumer.name,
        source: source.aggregate,
        mark: after.mark,
        isTopicReadToEnd: records.isTopicReadToEnd,
        facts,
        sinceMs,
      }),
      searched: { logFiles: logs.files, topic, fromMs },
    };
  } finally {
    await close();
  }
}
