import { classifyError, isRefusedCommit, type Database } from '@board/database-kit';
import { failpoint, UnavailableError } from '@board/service-kit';
import { findEvents } from '../database/find-events.ts';
import { readKeys } from '../database/idempotency-keys.ts';
import type { AggregateRows } from './aggregate-rows.ts';
import type { Member } from './member.ts';
import { runUnitOfWork, type Work } from './run-unit-of-work.ts';

type Members<State, Refusal> = readonly Member<State, Refusal>[];

/**
 * Answers every member of a batch: all in one transaction, or, when that fails, each in its own.
 *
 * With `skip` those are left whose row somebody else holds; they are returned, grouped by row.
 */
export async function settleBatch<State, Refusal>(
  database: Database,
  rows: AggregateRows<State>,
  batch: Members<State, Refusal>,
  held: 'skip' | 'wait',
): Promise<Members<State, Refusal>[]> {
  const busy: Member<State, Refusal>[] = [];
  try {
    await settleTogether(batch, held, 'may fail');
  } catch (error) {
    for (const member of batch) if (!member.isSettled()) member.fail(error);
  }
  return [...groupByAggregate(busy.filter((member) => !member.isSettled()))];

  async function settleTogether(
    members: Members<State, Refusal>,
    held: 'skip' | 'wait',
    chance: 'may fail' | 'last',
  ): Promise<void> {
    const waiting = await answerKnownKeys(members);
    if (waiting.length === 0) return;
    let work: Work<State, Refusal>;
    const before = new Map(waiting.map((member) => [member, member.attempts.length]));
    let isCommitSent = false;
    try {
      await failpoint('before-begin');
      // Tried once: what is retried here is the members, not the transaction.
      work = await database.transaction((manager) => runUnitOfWork(manager, rows, waiting, held), {
        tries: 1,
        beforeCommit: () => (isCommitSent = true),
      });
    } catch (error) {
      const isAway = error instanceof UnavailableError && !isLockConflict(error);
      // Nothing was written yet, so there is nothing to look up in a database that does not answer.
      if (isAway && waiting.every(({ attempts }) => attempts.length === 0)) throw error;
      // Rolled back for sure: only a COMMIT that was sent and not refused leaves a doubt.
      if (!isCommitSent || isRefusedCommit(error)) for (const [{ attempts }, count] of before) attempts.splice(count);
      await settleFailed(waiting, error, chance);
      return;
    }
    await failpoint('after-commit');
    // What refuses another attempt may be what an earlier one has done: the version that If-Match named, a delete.
    const doubtful = waiting.filter(
      (member) => member.attempts.length > 0 && work.outcomes.get(member)?.kind !== 'committed',
    );
    if (doubtful.length > 0) await answerCommitted(doubtful);
    for (const [member, error] of work.failed) member.fail(error);
    // Answered after COMMIT, never before.
    for (const [member, outcome] of work.outcomes) member.settle(outcome);
    busy.push(...work.busy);
  }

  async function settleFailed(members: Members<State, Refusal>, error: unknown, chance: 'may fail' | 'last') {
    await answerCommitted(members);
    const left = await answerKnownKeys(members);
    if (chance === 'last') {
      for (const member of left) member.fail(error);
      return;
    }
    for (const member of left) await settleTogether([member], 'wait', 'last');
  }

  /**
   * An event that is stored was committed, with its row and its key, although nobody answered. Asked after every failure:
   * an error that blames a statement may be about the rows of an earlier attempt, whose COMMIT went through meanwhile.
   */
  async function answerCommitted(members: Members<State, Refusal>): Promise<void> {
    const tried = members.filter(({ attempts }) => attempts.length > 0);
    if (tried.length === 0) return;
    const ids = tried.map(({ command }) => command.eventId);
    const stored = await findEvents(database, ids);
    for (const { command, attempts, settle } of tried) {
      const version = stored.get(command.eventId);
      // Two with the same version: the earlier one was rolled back before the later one got the row's lock.
      const change = attempts.findLast(({ event }) => event.version === version);
      if (change) settle({ kind: 'committed', state: change.state });
    }
  }

  /** Known keys leave the batch before it starts: waiting for another transaction's key would hold up every neighbour. */
  async function answerKnownKeys(members: Members<State, Refusal>): Promise<Members<State, Refusal>> {
    const left = members.filter((member) => !member.isSettled());
    const keyed = left.flatMap(({ command: { key } }) => (key ? [key] : []));
    if (keyed.length === 0) return left;
    const known = await readKeys(database, keyed);
    for (const member of left) {
      const { key } = member.command;
      const seen = key && known.get(key.hash.toString('hex'));
      if (seen) member.settle(seen);
    }
    return left.filter((member) => !member.isSettled());
  }
}

function isLockConflict(error: UnavailableError): boolean {
  return classifyError(error.cause) === 'again';
}

function groupByAggregate<State, Refusal>(members: Members<State, Refusal>): Iterable<Members<State, Refusal>> {
  return Map.groupBy(members, ({ command }) => command.aggregateId).values();
}
