// Flow 3/9: one transaction: board, outbox
import assert from 'node:assert/strict';
import { failpoint } from '@board/service';
import type { EntityManager } from 'typeorm';
import type { AggregateRows, Change, OutboxEvent, Outcome, PendingCommand } from './command.ts';
import { insertKeys } from './idempotency-keys.ts';

type Pending = readonly PendingCommand[];

/** What one transaction made of its members; it holds once the transaction has committed. */
export interface Work {
  readonly outcomes: ReadonlyMap<PendingCommand, Outcome>;
  /**
   * Their event breaks its contract, or their decision failed otherwise: nothing of them is
   * written.
   */
  readonly failed: ReadonlyMap<PendingCommand, unknown>;
  /** Their row is held by another transaction; nothing of them is written. */
  readonly held: Pending;
}

/**
 * Decides on the members under the locks of their rows and writes the rows, the events and the
 * keys: no other way leads to the tables.
 *
 * Rows are locked in the order of their ids, and keys inserted in the order of theirs: two such
 * transactions cannot deadlock.
 */
export async function runUnitOfWork(
  manager: EntityManager,
  rows: AggregateRows,
  members: Pending,
  held: 'leave' | 'wait',
): Promise<Work> {
  const { states, heldIds } = await lockRows(manager, rows, members, held);
  const isHeld = ({ command }: PendingCommand): boolean => heldIds.has(command.aggregateId);
  // A caller that stopped waiting has the answer that nothing was done.
  const free = members.filter((member) => !isHeld(member) && !member.isAnswered());
  const { outcomes, failed, changes } = decideAll(free, states);
  if (changes.size > 0) await write(manager, rows, changes);
  return { outcomes, failed, held: members.filter(isHeld) };
}

async function lockRows(
  manager: EntityManager,
  rows: AggregateRows,
  members: Pending,
  held: 'leave' | 'wait',
): Promise<{
  readonly states: ReadonlyMap<string, unknown>;
  readonly heldIds: ReadonlySet<string>;
}> {
  const existing = members.filter(({ command }) => command.target === 'existing');
  const ids = [...new Set(existing.map(({ command }) => command.aggregateId))].toSorted();
  if (ids.length === 0) return { states: new Map(), heldIds: new Set() };
  const states = await rows.lock(manager, ids, held);
  const absent = ids.filter((id) => !states.has(id));
  if (held === 'wait' || absent.length === 0) return { states, heldIds: new Set() };
  return { states, heldIds: await rows.exist(manager, absent) };
}

/**
 * Pure. Members of one aggregate are decided in their order, each on the state that the one before
 * it left.
 */
function decideAll(members: Pending, locked: ReadonlyMap<string, unknown>) {
  const states = new Map(locked);
  const outcomes = new Map<PendingCommand, Outcome>();
  const failed = new Map<PendingCommand, unknown>();
  const changes = new Map<PendingCommand, Change>();
  for (const member of members) {
    const { aggregateId, key, decide } = member.command;
    try {
      // Contract before COMMIT: a decision encodes its event, and what consumers could not decode
      // is not stored.
      const decision = decide(states.get(aggregateId));
      if (decision.kind === 'refuse') {
        outcomes.set(member, { kind: 'refused', refusal: decision.refusal });
        continue;
      }
      const { state, answer } = decision;
      assert(
        !key || answer,
        `the command on ${aggregateId} has a key and no answer to keep with it`,
      );
      states.set(aggregateId, state);
      changes.set(member, decision);
      outcomes.set(member, { kind: 'committed', state, answer: key && answer });
    } catch (error) {
      failed.set(member, error);
    }
  }
  return { outcomes, failed, changes };
}

async function write(
  manager: EntityManager,
  rows: AggregateRows,
  changes: ReadonlyMap<PendingCommand, Change>,
): Promise<void> {
  // From here on the server may know of a change whose commit we never hear of.
  for (const [{ attempts }, change] of changes) attempts.push(change);
  await insertKeys(
    manager,
    [...changes].flatMap(([{ command }, { answer }]) =>
      command.key && answer ? [{ ...command.key, answer }] : [],
    ),
  );
  const inserted = lastStates(changes, 'new');
  const updated = lastStates(changes, 'existing');
  if (inserted.length > 0) await rows.insert(manager, inserted);
  if (updated.length > 0) await rows.update(manager, updated);
  await failpoint('between-inserts');
  await insertEvents(
    manager,
    [...changes.values()].map(({ event }) => event),
  );
  await failpoint('before-commit');
}

/** An aggregate that several members change is written once, as the last of them leaves it. */
function lastStates(
  changes: ReadonlyMap<PendingCommand, Change>,
  target: 'new' | 'existing',
): readonly unknown[] {
  const of = [...changes].filter(([{ command }]) => command.target === target);
  return [...new Map(of.map(([{ command }, { state }]) => [command.aggregateId, state])).values()];
}

/** In one statement; outbox rows are never updated, and only the purge deletes them. */
async function insertEvents(manager: EntityManager, events: readonly OutboxEvent[]): Promise<void> {
  await manager.query(
    `INSERT INTO outbox (id, aggregatetype, aggregateid, version, partition_key, type, payload, traceparent, occurred_at)
     VALUES ?`,
    [
      events.map((event) => [
        event.id,
        event.aggregateType,
        event.aggregateId,
        event.version,
        event.partitionKey,
        event.type,
        event.payload,
        event.traceparent,
        event.occurredAt,
      ]),
    ],
  );
}
