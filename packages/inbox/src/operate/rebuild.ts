import { withAdmin } from '@board/kafka-kit';
import type { Admin } from 'kafkajs';
import type { EntityManager } from 'typeorm';
import { forgetRead } from '../database/missing-ranges.ts';
import { inTransaction } from '../database/transaction.ts';
import { findTopicGaps, type TopicGap } from './find-topic-gaps.ts';
import { inboxGroups, readGroupStates } from './group-state.ts';
import type { Operator } from './operator.ts';
import { Refusal } from './refusal.ts';

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

const rowsPerStatement = 10_000;

/**
 * Takes a consumer back to its beginning: deletes its marks, its parked rows and by `deleteRows` its own rows in one
 * transaction, and lets both its groups start from the earliest record. What was skipped stays skipped, letters stay.
 * Refuses behind a topic that no longer holds everything, unless that is accepted.
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
      // Offsets first: a crash after this line delivers everything again to marks that know it. The other way round, the
      // groups would go on behind marks that are gone, and every board would wait for events that nobody sends again.
      await forgetOffsets(admin, inboxGroups(operator));
      return await inTransaction(
        operator.dataSource,
        () => undefined,
        async ({ tx }): Promise<RebuildOutcome> => {
          await deleteRows(tx);
          const parked = await deleteAll(tx, 'parked', operator);
          const marks = await deleteAll(tx, 'mark', operator);
          await forgetRead(tx, operator.consumer, positions);
          // Who joined while this was deleting may have passed records of marks that are gone now.
          const states = await readGroupStates(admin, operator);
          const joined = states.reduce((sum, state) => sum + state.members, 0);
          if (joined > 0 || states.some(({ hasCommitted }) => hasCommitted))
            throw new Refusal<RebuildOutcome>({ outcome: 'has-members', members: joined });
          return { outcome: 'emptied', marks, parked };
        },
      );
    } catch (error) {
      if (error instanceof Refusal) return (error as Refusal<RebuildOutcome>).outcome;
      throw error;
    }
  });
}

/** In steps, so that no statement of a large table runs into the limit that connections set. */
async function deleteAll(tx: EntityManager, table: 'parked' | 'mark', { consumer }: Operator): Promise<number> {
  let deleted = 0;
  for (;;) {
    const { affectedRows }: { affectedRows: number } = await tx.query(
      `DELETE FROM ${table} WHERE consumer = ? AND aggregatetype = ? ORDER BY aggregateid LIMIT ?`,
      [consumer.group, consumer.aggregateType, rowsPerStatement],
    );
    deleted += affectedRows;
    if (affectedRows < rowsPerStatement) return deleted;
  }
}

async function countMembers(admin: Admin, operator: Operator): Promise<number> {
  return (await readGroupStates(admin, operator)).reduce((sum, { members }) => sum + members, 0);
}

/** A group without offsets starts at the earliest record; the brokers refuse to delete one that has members. */
async function forgetOffsets(admin: Admin, groups: readonly string[]): Promise<void> {
  const { groups: known } = await admin.listGroups();
  const existing = groups.filter((group) => known.some(({ groupId }) => groupId === group));
  if (existing.length > 0) await admin.deleteGroups(existing);
}
