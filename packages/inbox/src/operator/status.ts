import { must } from '@board/service';
import { withAdmin } from '@board/kafka';
import { retryTierOf } from '@board/contracts';
import { findRetryTopics, nextOffset, openLagReader } from '../consume/lag.ts';
import { selfTestAggregateId } from '../decide.ts';
import { closeAllPassed, mysqlDeadLetters } from '../store/dead-letters.ts';
import type { OpenMissing } from '../store/store.ts';
import {
  type GroupState,
  type Operator,
  inboxGroups,
  readGroupStates,
  storeOf,
} from './operator.ts';

/** Events that wait behind one aggregate's mark. */
interface ParkedAggregate {
  readonly aggregateId: string;
  readonly markVersion: number;
  readonly parked: number;
  readonly firstVersion: number;
  readonly lastVersion: number;
  readonly bytes: number;
  readonly oldestAgeMs: number;
}

export interface InboxStatus {
  readonly consumer: string;
  readonly groups: readonly GroupState[];
  readonly marks: number;
  /** Records of the source topic after the committed offset. */
  readonly lag: readonly { readonly partition: number; readonly records: number }[];
  /** Records of each retry topic after the committed offset. */
  readonly retries: readonly { readonly tier: number; readonly records: number }[];
  readonly parked: { readonly rows: number; readonly bytes: number; readonly oldestAgeMs: number };
  /** Longest waiting first. */
  readonly parkedAggregates: readonly ParkedAggregate[];
  readonly openDeadLetters: Readonly<Record<string, number>>;
  readonly skipped: { readonly policy: number; readonly hand: number };
  /** Records that were gone before they were read, until an audit is clean. */
  readonly missing: OpenMissing;
}

/** How far an inbox has come and what waits in it. */
export async function inboxStatus(
  operator: Operator,
  sourceTopic: string,
  aggregates = 10,
): Promise<InboxStatus> {
  const { consumer, dataSource } = operator;
  const nowMs = operator.now();
  await closeAllPassed(mysqlDeadLetters(dataSource.manager, consumer, operator.now));
  const { parked, open, missing } = await storeOf(operator).transaction(async (tx) => ({
    parked: await tx.parked.size(),
    open: await tx.deadLetters.countOpen(),
    missing: await tx.positions.openMissing(),
  }));
  const key = [consumer.group, consumer.aggregateType];
  const count = async (sql: string): Promise<number> => {
    const [row]: readonly { rowCount: string }[] = await dataSource.query(sql, key);
    return Number(row?.rowCount ?? 0);
  };
  const skips =
    'SELECT COUNT(*) AS rowCount FROM skipped WHERE consumer = ? AND aggregatetype = ? AND decided_by =';
  return {
    consumer: consumer.group,
    ...(await askBrokers(operator, sourceTopic)),
    marks: await count(
      `SELECT COUNT(*) AS rowCount FROM mark WHERE consumer = ? AND aggregatetype = ? AND version > 0
         AND aggregateid <> '${selfTestAggregateId}'`,
    ),
    parked,
    parkedAggregates: await longestParked(operator, nowMs, aggregates),
    openDeadLetters: Object.fromEntries(open),
    skipped: { policy: await count(`${skips} 'policy'`), hand: await count(`${skips} 'hand'`) },
    missing,
  };
}

async function askBrokers(
  operator: Operator,
  sourceTopic: string,
): Promise<Pick<InboxStatus, 'groups' | 'lag' | 'retries'>> {
  const [sourceGroup, retryGroup] = inboxGroups(operator);
  const { group } = operator.consumer;
  // All that there are, whatever a definition says: more would be invisible, fewer would not be
  // there.
  const retryTopics = await findRetryTopics(operator.kafka, { group, retryTiers: 0 });
  const groups = await withAdmin(operator.kafka, (admin) => readGroupStates(admin, operator));
  const source = await readLag(operator, sourceGroup, [sourceTopic]);
  const retried = await readLag(operator, retryGroup, retryTopics);
  return {
    groups,
    lag: source
      .map(({ partition, records }) => ({ partition, records }))
      .sort((a, b) => a.partition - b.partition),
    retries: retryTopics.map((name) => ({
      tier: must(retryTierOf(group, name), `tier of ${name}`),
      records: retried
        .filter(({ topic }) => topic === name)
        .reduce((sum, one) => sum + one.records, 0),
    })),
  };
}

async function readLag(operator: Operator, groupId: string, topics: readonly string[]) {
  const lagReader = await openLagReader(operator.kafka, groupId, topics);
  try {
    const positions = await lagReader.read();
    return positions.map((position) => ({
      topic: position.topic,
      partition: position.partition,
      records: Math.max(0, Number(position.end - nextOffset(position))),
    }));
  } finally {
    await lagReader.close();
  }
}

async function longestParked(
  { consumer, dataSource }: Operator,
  nowMs: number,
  limit: number,
): Promise<ParkedAggregate[]> {
  const rows: readonly Record<
    'aggregateid' | 'mark' | 'parked' | 'lowest' | 'highest' | 'bytes' | 'oldest',
    string
  >[] = await dataSource.query(
    `SELECT waiting.*, COALESCE(mark.version, 0) AS mark FROM (
         SELECT aggregateid, COUNT(*) AS parked, MIN(version) AS lowest, MAX(version) AS highest, SUM(bytes) AS bytes,
           MIN(parked_at) AS oldest
         FROM parked FORCE INDEX (parked_size) WHERE consumer = ? AND aggregatetype = ? GROUP BY aggregateid ORDER BY oldest, aggregateid LIMIT ?
       ) AS waiting
       LEFT JOIN mark ON mark.consumer = ? AND mark.aggregatetype = ? AND mark.aggregateid = waiting.aggregateid
       ORDER BY waiting.oldest, waiting.aggregateid`,
    [consumer.group, consumer.aggregateType, limit, consumer.group, consumer.aggregateType],
  );
  return rows.map((row) => ({
    aggregateId: row.aggregateid,
    markVersion: Number(row.mark),
    parked: Number(row.parked),
    firstVersion: Number(row.lowest),
    lastVersion: Number(row.highest),
    bytes: Number(row.bytes),
    oldestAgeMs: Math.max(0, nowMs - Number(row.oldest)),
  }));
}
