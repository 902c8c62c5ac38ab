// Flow 3/9: one transaction: board, outbox
import { failpoint } from '@board/service-kit';
import type { EntityManager } from 'typeorm';
import { insertKeys } from '../database/idempotency-keys.ts';
import { insertOutbox } from '../database/insert-outbox.ts';
import type { AggregateRows } from './aggregate-rows.ts';
import type { Change, Outcome } from './command.ts';
import type { Member } from './member.ts';

/** What one transaction made of its members; it holds once the transaction has committed. */
export interface Work<State, Refusal> {
  readonly outcomes: ReadonlyMap<Member<State, Refusal>, Outcome<State, Refusal>>;
  /** Their event breaks its contract, or their decision failed otherwise: nothing of them is written. */
  readonly failed: ReadonlyMap<Member<State, Refusal>, unknown>;
  /** Their row is held by another transaction; nothing of them is written. */
  readonly busy: readonly Member<State, Refusal>[];
}

/**
 * Decides on the members under the locks of their rows and writes the rows, the events and the keys: no other way leads to
 * the tables. Members of one aggregate are decided in their order, each on the state that the one before it left.
 *
 * Rows are locked in the order of their ids, and keys inserted in the order of theirs: two such transactions cannot deadlock.
 */
export async function runUnitOfWork<State, Refusal>(
  manager: EntityManager,
  rows: AggregateRows<State>,
  members: readonly Member<State, Refusal>[],
  held: 'skip' | 'wait',
): Promise<Work<State, Refusal>> {
  const { states, busy: busyIds } = await lockRows(manager, rows, members, held);
  const inserted = new Map<string, State>();
  const updated = new Map<string, State>();
  const outcomes = new Map<Member<State, Refusal>, Outcome<State, Refusal>>();
  const failed = new Map<Member<State, Refusal>, unknown>();
  const changes: [Member<State, Refusal>, Change<State>][] = [];
  for (const member of members) {
    const { aggregateId, target, decide } = member.command;
    // Whoever stopped waiting was told that nothing was done.
    if (busyIds.has(aggregateId) || member.isSettled()) continue;
    try {
      // Contract before COMMIT: a decision encodes its event, and what consumers could not decode is not stored.
      const decision = decide(states.get(aggregateId));
      if (decision.kind === 'refuse') {
        outcomes.set(member, { kind: 'refused', refusal: decision.refusal });
        continue;
      }
      states.set(aggregateId, decision.state);
      (target === 'new' ? inserted : updated).set(aggregateId, decision.state);
      changes.push([member, decision]);
      outcomes.set(member, { kind: 'committed', state: decision.state });
    } catch (error) {
      failed.set(member, error);
    }
  }
  await write(manager, rows, changes, { inserted: [...inserted.values()], updated: [...updated.values()] });
  return { outcomes, failed, busy: members.filter(({ command }) => busyIds.has(command.aggregateId)) };
}

async function lockRows<State, Refusal>(
  manager: EntityManager,
  rows: AggregateRows<State>,
  members: readonly Member<State, Refusal>[],
  held: 'skip' | 'wait',
): Promise<{ states: Map<string, State>; busy: ReadonlySet<string> }> {
  const existing = members.filter(({ command }) => command.target === 'existing');
  const ids = [...new Set(existing.map(({ command }) => command.aggregateId))].toSorted();
  if (ids.length === 0) return { states: new Map(), busy: new Set() };
  const states = new Map(await rows.lock(manager, ids, held));
  const absent = ids.filter((id) => !states.has(id));
  if (held === 'wait' || absent.length === 0) return { states, busy: new Set() };
  return { states, busy: await rows.exist(manager, absent) };
}

async function write<State, Refusal>(
  manager: EntityManager,
  rows: AggregateRows<State>,
  changes: readonly (readonly [Member<State, Refusal>, Change<State>])[],
  { inserted, updated }: { readonly inserted: readonly State[]; readonly updated: readonly State[] },
): Promise<void> {
  if (changes.length === 0) return;
  // From here on the server may know of a change whose commit we never hear of.
  for (const [member, change] of changes) member.attempts.push(change);
  await insertKeys(
    manager,
    changes.flatMap(([{ command }, { answer }]) => (command.key && answer ? [{ ...command.key, answer }] : [])),
  );
  if (inserted.length > 0) await rows.insert(manager, inserted);
  if (updated.length > 0) await rows.update(manager, updated);
  await failpoint('between-inserts');
  await insertOutbox(
    manager,
    changes.map(([, { event }]) => event),
  );
  await failpoint('before-commit');
}
