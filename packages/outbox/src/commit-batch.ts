import { classifyError, isRefusedCommit, type Database } from '@board/mysql';
import { UnavailableError, failpoint } from '@board/service';
import type { AggregateRows, PendingCommand } from './command.ts';
import type { Batch } from './commit-queue.ts';
import { readKeys } from './idempotency-keys.ts';
import { runUnitOfWork, type Work } from './unit-of-work.ts';

type Pending = readonly PendingCommand[];

/** Where a batch is written. */
export interface CommitStore {
  readonly database: Database;
  readonly rows: AggregateRows;
}

/**
 * Answers every member of a batch: all in one transaction, or, when that fails, each in its own.
 *
 * The transaction of a shared batch waits for no row: members whose row another process holds are
 * not taken, and returned.
 */
export async function commitBatch(store: CommitStore, { kind, members }: Batch): Promise<Pending> {
  try {
    const together = await attempt(store, members, kind === 'shared' ? 'leave' : 'wait');
    if (together.kind === 'done') return together.held;
    // One member may have caused the failure; it must not fail the others.
    for (const member of together.unanswered) {
      const alone = await attempt(store, [member], 'wait');
      if (alone.kind === 'failed') for (const { fail } of alone.unanswered) fail(alone.error);
    }
  } catch (error) {
    // A member that has its answer keeps it.
    for (const { fail } of members) fail(error);
  }
  return [];
}

type Attempt =
  | { readonly kind: 'done'; readonly held: Pending }
  /** What this attempt wrote of the unanswered ones is gone or was never there. */
  | { readonly kind: 'failed'; readonly error: unknown; readonly unanswered: Pending };

/**
 * One transaction. Throws when the database is away, so that nothing can be decided or tried now.
 */
async function attempt(
  { database, rows }: CommitStore,
  members: Pending,
  held: 'leave' | 'wait',
): Promise<Attempt> {
  const unanswered = await answerKnownKeys(database, members);
  if (unanswered.length === 0) return { kind: 'done', held: [] };
  const before = unanswered.map(({ attempts }) => ({ attempts, count: attempts.length }));
  let isCommitSent = false;
  let work: Work;
  try {
    await failpoint('before-begin');
    // Tried once: what is retried here is the members, not the transaction.
    work = await database.transaction((manager) => runUnitOfWork(manager, rows, unanswered, held), {
      tries: 1,
      beforeCommit: () => (isCommitSent = true),
    });
  } catch (error) {
    // Nothing was written yet, so there is nothing to look up in a database that does not answer.
    if (isAway(error) && unanswered.every(({ attempts }) => attempts.length === 0)) throw error;
    // Rolled back for sure: only a COMMIT that was sent and not refused leaves a doubt.
    if (!isCommitSent || isRefusedCommit(error))
      for (const { attempts, count } of before) attempts.splice(count);
    // Asked after every failure: an error that blames a statement may be about the rows of an
    // earlier attempt, whose COMMIT went through meanwhile.
    await answerCommitted(database, unanswered);
    return { kind: 'failed', error, unanswered: await answerKnownKeys(database, unanswered) };
  }
  await failpoint('after-commit');
  // What refuses another attempt may be what an earlier one has done: the version that If-Match
  // named, a delete.
  await answerCommitted(
    database,
    unanswered.filter((member) => work.outcomes.get(member)?.kind !== 'committed'),
  );
  for (const [member, error] of work.failed) member.fail(error);
  // Answered after COMMIT, never before: a crash in between would take back an answer.
  for (const [member, outcome] of work.outcomes) member.answer(outcome);
  return { kind: 'done', held: work.held.filter((member) => !member.isAnswered()) };
}

/** A lock conflict is no outage: the database answers, and the members are tried one by one. */
function isAway(error: unknown): boolean {
  return error instanceof UnavailableError && classifyError(error.cause) !== 'again';
}

/**
 * An event that is stored was committed, with its row and its key, although no answer confirmed it.
 */
async function answerCommitted(database: Database, members: Pending): Promise<void> {
  const tried = members.filter(({ attempts }) => attempts.length > 0);
  if (tried.length === 0) return;
  const ids = tried.map(({ command }) => command.eventId);
  const stored: { id: string; version: number }[] = await database.read((manager) =>
    manager.query('SELECT id, version FROM outbox WHERE id IN (?)', [ids]),
  );
  const versions = new Map(stored.map(({ id, version }) => [id, version]));
  for (const { command, attempts, answer } of tried) {
    const version = versions.get(command.eventId);
    // Two with the same version: the earlier one was rolled back before the later one got the row's
    // lock.
    const change = attempts.findLast(({ event }) => event.version === version);
    if (change)
      answer({ kind: 'committed', state: change.state, answer: command.key && change.answer });
  }
}

/**
 * Answers members with a known key, before the transaction begins: waiting for another
 * transaction's key would hold up every other member. Returns those without an answer.
 */
async function answerKnownKeys(database: Database, members: Pending): Promise<Pending> {
  const open = members.filter((member) => !member.isAnswered());
  const keyed = open.flatMap(({ command: { key } }) => (key ? [key] : []));
  if (keyed.length === 0) return open;
  const known = await readKeys(database, keyed);
  for (const { command, answer } of open) {
    const outcome = command.key && known.get(command.key.hash.toString('hex'));
    if (outcome) answer(outcome);
  }
  return open.filter((member) => !member.isAnswered());
}
