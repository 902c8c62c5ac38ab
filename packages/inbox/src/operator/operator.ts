import type { Admin, Kafka } from 'kafkajs';
import type { DataSource } from 'typeorm';
import { createMysqlStore } from '../store/mysql-store.ts';
import type { ConsumerKey, InboxStore } from '../store/store.ts';

/** What every operator function needs: the consumer, and where its tables and topics are. */
export interface Operator {
  readonly consumer: ConsumerKey;
  readonly dataSource: DataSource;
  readonly kafka: Kafka;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The consumer's tables, for what must happen in one transaction. */
export function storeOf({ consumer, dataSource, now }: Operator): InboxStore {
  return createMysqlStore({ consumer, dataSource, nowMs: now });
}

/** A consumer group as the brokers know it. */
export interface GroupState {
  readonly group: string;
  readonly members: number;
  readonly hasCommitted: boolean;
}

/** The groups that one inbox reads with: of its source topic, and of its retry topics. */
export function inboxGroups({ consumer }: Operator): readonly [string, string] {
  return [consumer.group, `${consumer.group}.retry`];
}

export async function readGroupStates(admin: Admin, operator: Operator): Promise<GroupState[]> {
  const names = inboxGroups(operator);
  const { groups } = await admin.describeGroups([...names]);
  return Promise.all(
    names.map(async (group) => {
      const committed = await admin.fetchOffsets({ groupId: group });
      return {
        group,
        members: groups.find(({ groupId }) => groupId === group)?.members.length ?? 0,
        hasCommitted: committed.some(({ partitions }) =>
          partitions.some(({ offset }) => BigInt(offset) >= 0n),
        ),
      };
    }),
  );
}

/**
 * Undoes the transaction that it is thrown in, and carries the outcome to the function around it.
 */
export class Refusal<Outcome> extends Error {
  override readonly name = 'Refusal';
  readonly outcome: Outcome;

  constructor(outcome: Outcome) {
    super('refused');
    this.outcome = outcome;
  }
}
