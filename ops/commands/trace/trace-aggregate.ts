import { aggregates, type ConsumerDefinition } from '@board/contracts';
import type { KafkaAccess } from '@board/kafka';
import { must } from '@board/service';
import { connectSql, type DatabaseAddress } from '../../cli/run-sql.ts';
import { expectRecords } from './expect-records.ts';
import { findRecords } from './find-records.ts';
import type { LookedAt } from './format-timeline.ts';
import { readConsumerSide } from './read-consumer-side.ts';
import { parseLogLine } from './parse-log-line.ts';
import type { Logs } from './read-logs.ts';
import { readSourceSide } from './read-source-side.ts';
import { toTimeline, type Timeline } from './to-timeline.ts';

export interface TraceOptions {
  readonly aggregateId: string;
  /** As this consumer has it. */
  readonly consumer: ConsumerDefinition;
  readonly database: DatabaseAddress;
  readonly kafka: KafkaAccess;
  readonly logs: Logs;
  readonly sinceMs?: number | undefined;
  /** Reads the topic to its end even when every known event was met before. */
  readonly toEnd?: boolean | undefined;
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** Where all of it is, when not in the pipeline's own places. */
  readonly places?: Partial<Record<'sourceSchema' | 'consumerSchema' | 'topic' | 'group', string>>;
}

/** How far the clocks of services, brokers and database may be apart. */
const clockMarginMs = 10 * 60_000;

/**
 * Follows an aggregate through the pipeline to a consumer without disturbing it; undefined when
 * neither database knows it.
 */
export async function traceAggregate(
  options: TraceOptions,
): Promise<{ readonly timeline: Timeline; readonly looked: LookedAt } | undefined> {
  const {
    aggregateId,
    consumer,
    places = {},
    logs,
    sinceMs,
    toEnd = false,
    say = () => undefined,
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
    // Before the topic: what the logs name must be found there.
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
      say,
      signal,
    });
    // Once more: what was applied while topic and logs were read must not look as if it were
    // waiting.
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
      looked: { logFiles: logs.files, topic, fromMs },
    };
  } finally {
    await close();
  }
}
