import type { Admin } from 'kafkajs';
import type { Operator } from './operator.ts';

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
        hasCommitted: committed.some(({ partitions }) => partitions.some(({ offset }) => BigInt(offset) >= 0n)),
      };
    }),
  );
}
