import { boardTopic, catalogConsumer } from '@board/contracts';
import type { KafkaAccess } from '@board/kafka';
import { connectSql, type DatabaseAddress } from '../audit/run-sql.ts';
import { expectRecords } from './expect-records.ts';
import { findRecords } from './find-records.ts';
import type { LookedAt } from './format-timeline.ts';
import { readConsumerSide } from './read-consumer-side.ts';
import { readLogs } from './read-logs.ts';
import { readOrderSide } from './read-order-side.ts';
import { toTimeline, type Timeline } from './to-timeline.ts';

export interface TraceOptions {
  readonly boardId: string;
  readonly database: DatabaseAddress;
  readonly kafka: KafkaAccess;
  /** Log files of order-service and catalog-service, or `-`. */
  readonly logFiles: readonly string[];
  readonly sinceMs?: number | undefined;
  /** Reads the topic to its end even when every known event was met before. */
  readonly toEnd?: boolean | undefined;
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** Where all of it is, when not in the pipeline's own places. */
  readonly places?: Partial<typeof pipeline>;
}

const pipeline = {
  sourceSchema: 'order_service',
  consumerSchema: 'catalog_service',
  topic: boardTopic.name,
  group: catalogConsumer.group,
};

/** How far the clocks of services, brokers and database may be apart. */
const clockMarginMs = 10 * 60_000;

/** Follows a board through the pipeline without disturbing it; undefined when neither database knows the board. */
export async function traceBoard(
  options: TraceOptions,
): Promise<{ readonly timeline: Timeline; readonly looked: LookedAt } | undefined> {
  const { boardId, database, kafka, logFiles, sinceMs, toEnd = false, say = () => undefined, signal } = options;
  const { sourceSchema, consumerSchema, topic, group } = { ...pipeline, ...options.places };
  const { sql, close } = await connectSql(database);
  try {
    const source = await readOrderSide(sql, sourceSchema, boardId);
    const before = await readConsumerSide(sql, consumerSchema, group, boardId);
    const { board } = source;
    const isKnown = board !== undefined || source.facts.length > 0 || before.mark > 0 || before.facts.length > 0;
    if (!isKnown) return undefined;

    const fromMs = Math.max(1, (sinceMs ?? board?.createdAtMs ?? 0) - clockMarginMs);
    // Before the topic: what the logs name must be found there.
    const logged = await readLogs({ files: logFiles, boardId, sinceMs: fromMs, say, signal });
    const expected =
      sinceMs === undefined && !toEnd && board !== undefined
        ? expectRecords(Math.max(board.version, before.mark), [...source.facts, ...before.facts, ...logged])
        : undefined;
    const records = await findRecords({ kafka, topic, group, boardId, fromMs, expected, say, signal });
    // Once more: what was applied while topic and logs were read must not look as if it were waiting.
    const consumer = await readConsumerSide(sql, consumerSchema, group, boardId);
    const facts = [...logged, ...source.facts, ...records.facts, ...consumer.facts];
    const { isTopicReadToEnd } = records;
    return {
      timeline: toTimeline({ boardId, board, mark: consumer.mark, isTopicReadToEnd, facts, sinceMs }),
      looked: { logFiles: logFiles.length, topic, fromMs },
    };
  } finally {
    await close();
  }
}
