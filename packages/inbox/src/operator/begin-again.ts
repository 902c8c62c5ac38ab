import { withAdmin } from '@board/kafka';
import type { Admin } from 'kafkajs';
import type { EntityManager } from 'typeorm';
import { type Operator, Refusal, inboxGroups, readGroupStates, storeOf } from './operator.ts';
import { type TopicGap, findTopicGaps } from './topics.ts';

/** Where one aggregate stands, as if the consumer had applied all events up to there. */
export interface BaselineRow<Data> {
  readonly aggregateId: string;
  readonly version: number;
  /**
   * Of the event with this version; empty when it is unknown, and its record then counts as a
   * conflict if it comes.
   */
  readonly eventId: string;
  /** What the consumer's own tables need. */
  readonly data: Data;
}

/** `marks`: how many were written; the other outcomes changed nothing. */
export type BaselineOutcome =
  | { readonly outcome: 'seeded'; readonly marks: number }
  | { readonly outcome: 'has-started' | 'has-marks' };

const rowsPerStatement = 1_000;

/**
 * Seeds the marks of a consumer that has never run, and by `seed` its rows, in one transaction: for
 * a source topic that no longer holds everything. Refuses once the consumer has started, because
 * its marks are then the truth.
 */
export async function baseline<Data>(
  operator: Operator,
  rows: AsyncIterable<BaselineRow<Data>>,
  seed: (tx: EntityManager, rows: readonly BaselineRow<Data>[]) => Promise<void>,
): Promise<BaselineOutcome> {
  const { consumer } = operator;
  return withAdmin(operator.kafka, async (admin) => {
    const hasStarted = async (): Promise<boolean> =>
      (await readGroupStates(admin, operator)).some(
        ({ members, hasCommitted }) => members > 0 || hasCommitted,
      );
    let read = false;
    try {
      if (await hasStarted()) return { outcome: 'has-started' };
      return await storeOf(operator).transaction(async ({ effects }): Promise<BaselineOutcome> => {
        const { manager: tx } = effects;
        if (read)
          throw new Error(
            'the database undid the baseline, and its rows cannot be read twice: run it again',
          );
        const [mark]: readonly unknown[] = await tx.query(
          'SELECT 1 FROM mark WHERE consumer = ? LIMIT 1',
          [consumer.group],
        );
        if (mark !== undefined) return { outcome: 'has-marks' };
        read = true;
        let marks = 0;
        for await (const page of inPages(rows)) {
          // No upsert: two rows of one aggregate, or a second baseline at the same time, must not
          // pass.
          await tx.query(
            'INSERT INTO mark (consumer, aggregatetype, aggregateid, version, event_id) VALUES ?',
            [
              page.map((row) => [
                consumer.group,
                consumer.aggregateType,
                row.aggregateId,
                row.version,
                row.eventId,
              ]),
            ],
          );
          await seed(tx, page);
          marks += page.length;
        }
        // Again, because seeding takes its time; what starts from now on waits for these marks or
        // finds them.
        if (await hasStarted()) throw new Refusal<BaselineOutcome>({ outcome: 'has-started' });
        return { outcome: 'seeded', marks };
      });
    } catch (error) {
      if (error instanceof Refusal) return (error as Refusal<BaselineOutcome>).outcome;
      throw error;
    }
  });
}

async function* inPages<Row>(rows: AsyncIterable<Row>): AsyncGenerator<readonly Row[]> {
  let page: Row[] = [];
  for await (const row of rows) {
    page.push(row);
    if (page.length < rowsPerStatement) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** `marks` and `parked`: how many rows were deleted; the other outcomes changed nothing. */
export type RebuildOutcome =
  | { readonly outcome: 'emptied'; readonly marks: number; readonly parked: number }
  /** A process of the consumer runs: stop them all first. */
  | { readonly outcome: 'has-members'; readonly members: number }
  /** The source topic does not hold everything that would be deleted. */
  | { readonly outcome: 'has-gaps'; readonly gaps: readonly TopicGap[] };

export interface RebuildRequest {
  readonly sourceTopic: string;
  /** Deletes the consumer's own rows. */
  readonly deleteRows: (tx: EntityManager) => Promise<void>;
  /** Deletes although what the topic no longer holds cannot come back. */
  readonly acceptGaps?: boolean;
}

const deletedPerStatement = 10_000;

/**
 * Takes a consumer back to its beginning: deletes its marks, its parked rows and by `deleteRows`
 * its own rows in one transaction, and lets both its groups start from the earliest record. What
 * was skipped stays skipped, dead letters stay. Refuses behind a topic that no longer holds
 * everything, unless that is accepted.
 */
export async function rebuild(
  operator: Operator,
  { sourceTopic, deleteRows, acceptGaps = false }: RebuildRequest,
): Promise<RebuildOutcome> {
  return withAdmin(operator.kafka, async (admin) => {
    try {
      const members = await countMembers(admin, operator);
      if (members > 0) return { outcome: 'has-members', members };
      // Before anything is forgotten: the answer needs what the group remembers.
      const { positions, gaps } = await findTopicGaps(operator, sourceTopic);
      if (gaps.length > 0 && !acceptGaps) return { outcome: 'has-gaps', gaps };
      // Offsets first: a crash after this line delivers everything again to marks that know it. The
      // other way round, the groups would go on behind marks that are gone, and every aggregate
      // would wait for events that are not sent again.
      await forgetOffsets(admin, inboxGroups(operator));
      return await storeOf(operator).transaction(async (tx): Promise<RebuildOutcome> => {
        const { manager } = tx.effects;
        await deleteRows(manager);
        const parked = await deleteAll(manager, 'parked', operator);
        const marks = await deleteAll(manager, 'mark', operator);
        await tx.positions.forget(positions);
        // A process that joined while this was deleting may have passed records of marks that are
        // gone now.
        const states = await readGroupStates(admin, operator);
        const joined = states.reduce((sum, state) => sum + state.members, 0);
        if (joined > 0 || states.some(({ hasCommitted }) => hasCommitted))
          throw new Refusal<RebuildOutcome>({ outcome: 'has-members', members: joined });
        return { outcome: 'emptied', marks, parked };
      });
    } catch (error) {
      if (error instanceof Refusal) return (error as Refusal<RebuildOutcome>).outcome;
      throw error;
    }
  });
}

/** In steps, so that no statement of a large table runs into the limit that connections set. */
async function deleteAll(
  tx: EntityManager,
  table: 'parked' | 'mark',
  { consumer }: Operator,
): Promise<number> {
  let deleted = 0;
  for (;;) {
    const { affectedRows }: { affectedRows: number } = await tx.query(
      `DELETE FROM ${table} WHERE consumer = ? AND aggregatetype = ? ORDER BY aggregateid LIMIT ?`,
      [consumer.group, consumer.aggregateType, deletedPerStatement],
    );
    deleted += affectedRows;
    if (affectedRows < deletedPerStatement) return deleted;
  }
}

async function countMembers(admin: Admin, operator: Operator): Promise<number> {
  return (await readGroupStates(admin, operator)).reduce((sum, { members }) => sum + members, 0);
}

/**
 * A group without offsets starts at the earliest record; the brokers refuse to delete one that has
 * members.
 */
async function forgetOffsets(admin: Admin, groups: readonly string[]): Promise<void> {
  const { groups: known } = await admin.listGroups();
  const existing = groups.filter((group) => known.some(({ groupId }) => groupId === group));
  if (existing.length > 0) await admin.deleteGroups(existing);
}
