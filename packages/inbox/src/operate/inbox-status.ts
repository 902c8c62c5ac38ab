import { retryTopicName } from '@board/contracts';
import { withAdmin } from '@board/kafka-kit';
import { nextOffset, openLagProbe } from '../consume/lag-probe.ts';
import { closeSettledLetters, countOpenLetters } from '../database/dead-letters.ts';
import { openMissing, type OpenMissing } from '../database/missing-ranges.ts';
import { parkedSize } from '../database/parked.ts';
import { probeAggregateId } from '../decide/identity.ts';
import { inboxGroups, readGroupStates, type GroupState } from './group-state.ts';
import type { Operator } from './operator.ts';

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
  readonly openLetters: Readonly<Record<string, number>>;
  readonly skipped: { readonly policy: number; readonly hand: number };
  /** Records that were gone before they were read, until an audit is clean. */
  readonly missing: OpenMissing;
}

/** How far an inbox has come and what waits in it. */
export async function inboxStatus(
  operator: Operator,
  sourceTopic: string,
  aggregates = 10,
  retryTiers = 3,
): Promise<InboxStatus> {
  const { consumer, dataSource } = operator;
  const nowMs = operator.now();
  await closeSettledLetters(dataSource.manager, consumer, nowMs);
  const key = [consumer.group, consumer.aggregateType];
  const count = async (sql: string): Promise<number> => {
    const [row]: readonly { rowCount: string }[] = await dataSource.query(sql, key);
    return Number(row?.rowCount ?? 0);
  };
  const skips = 'SELECT COUNT(*) AS rowCount FROM skipped WHERE consumer = ? AND aggregatetype = ? AND decided_by =';
  return {
    consumer: consumer.group,
    ...(await askBrokers(operator, sourceTopic, retryTiers)),
    marks: await count(
      `SELECT COUNT(*) AS rowCount FROM mark WHERE consumer = ? AND aggregatetype = ? AND version > 0
         AND aggregateid <> '${probeAggregateId}'`,
    ),
    parked: await parkedSize(dataSource.manager, consumer, nowMs),
    parkedAggregates: await longestParked(operator, nowMs, aggregates),
    openLetters: Object.fromEntries(await countOpenLetters(dataSource.manager, consumer)),
    skipped: { policy: await count(`${skips} 'policy'`), hand: await count(`${skips} 'hand'`) },
    missing: await openMissing(dataSource.manager, consumer),
  };
}

async function askBrokers(
  operator: Operator,
  sourceTopic: string,
  retryTiers: number,
): Promise<Pick<InboxStatus, 'groups' | 'lag' | 'retries'>> {
  const [sourceGroup, retryGroup] = inboxGroups(operator);
  const tiers = Array.from({ length: retryTiers }, (_, index) => index + 1);
  const retryTopics = tiers.map((tier) => retryTopicName(operator.consumer.group, tier));
  const groups = await withAdmin(operator.kafka, (admin) => readGroupStates(admin, operator));
  const source = await readLag(operator, sourceGroup, [sourceTopic]);
  const retried = await readLag(operator, retryGroup, retryTopics);
  return {
    groups,
    lag: source.map(({ partition, records }) => ({ partition, records })).sort((a, b) => a.partition - b.partition),
    retries: tiers.map((tier, index) => ({
      tier,
      records: retried.filter(({ topic }) => topic === retryTopics[index]).reduce((sum, one) => sum + one.records, 0),
    })),
  };
}

async function readLag(operator: Operator, groupId: string, topics: readonly string[]) {
  const probe = await openLagProbe(operator.kafka, groupId, topics);
  try {
    const positions = await probe.read();
    return positions.map((position) => ({
      topic: position.topic,
      partition: position.partition,
      records: Math.max(0, Number(position.end - nextOffset(position))),
    }));
  } finally {
    await probe.close();
  }
}

async function longestParked(
  { consumer, dataSource }: Operator,
  nowMs: number,
  limit: number,
): Promise<ParkedAggregate[]> {
  const rows: readonly Record<'aggregateid' | 'mark' | 'parked' | 'lowest' | 'highest' | 'bytes' | 'oldest', string>[] =
    await dataSource.query(
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
