import type { DataSource, EntityManager } from 'typeorm';
import type { Identity } from '../decide/identity.ts';
import type { Consumer } from '../consumer.ts';
import { describeError } from '../route/describe-error.ts';
import { databaseNowMs } from './database-now.ts';
import type { DeadLetterReason, LastFailure } from '../route/to-dead-letter.ts';

/** A dead letter and where the DLQ keeps it. */
export interface StoredLetter {
  readonly failure: LastFailure;
  /** Undefined when the record has none; its origin names it then. */
  readonly identity: Identity | undefined;
  readonly dlqOffset: bigint;
}

/** Reasons whose letters no mark can close: only `dismiss` does. */
const closedByHandOnly: readonly DeadLetterReason[] = ['no-identity', 'conflict'];

/** Remembers letters that the DLQ has acknowledged; a copy renews its letter, and opens it again unless it was dismissed. */
export async function recordDeadLetters(
  tx: EntityManager,
  consumer: Consumer,
  letters: readonly StoredLetter[],
  nowMs: number,
): Promise<void> {
  if (letters.length === 0) return;
  const rows = letters.map((letter) => toRow(consumer, letter, nowMs));
  await tx.query(
    `INSERT INTO dead_letter (consumer, letter, aggregatetype, aggregateid, version, event_id, reason, attempts, error_class, error_message,
       topic, kafka_partition, kafka_offset, last_offset, bare, dlq_partition, dlq_offset, copies, first_failed_at, last_failed_at)
     VALUES ? AS copy ON DUPLICATE KEY UPDATE
       reason = copy.reason, attempts = copy.attempts, error_class = copy.error_class, error_message = copy.error_message,
       bare = copy.bare, dlq_partition = copy.dlq_partition, dlq_offset = copy.dlq_offset, copies = dead_letter.copies + 1,
       last_failed_at = copy.last_failed_at,
       closed_at = IF(dead_letter.closed_by = 'dismissed', dead_letter.closed_at, NULL),
       closed_by = IF(dead_letter.closed_by = 'dismissed', dead_letter.closed_by, NULL)`,
    // Sorted by letter, so that two instances wait for each other in one order.
    [rows.sort(([, a], [, b]) => (String(a) < String(b) ? -1 : 1))],
  );
}

function toRow(consumer: Consumer, { failure, identity, dlqOffset }: StoredLetter, nowMs: number): unknown[] {
  const { origin } = failure.record;
  const { errorClass, message } = describeError(failure.error);
  return [
    consumer.group,
    identity?.eventId ?? `${origin.topic}/${origin.partition}/${origin.offset}`,
    consumer.aggregateType,
    identity?.aggregateId ?? null,
    identity?.version ?? null,
    identity?.eventId ?? null,
    failure.reason,
    failure.attempts,
    errorClass.slice(0, 200),
    message,
    origin.topic,
    origin.partition,
    origin.offset,
    failure.bare?.lastOffset ?? origin.offset,
    failure.bare === undefined ? 0 : 1,
    origin.partition,
    String(dlqOffset),
    1,
    failure.firstFailedAtMs ?? nowMs,
    // The flood guard counts those of every instance within its window.
    { toSqlString: () => databaseNowMs },
  ];
}

const lettersPerPage = 1_000;

/** A place in the list of open letters, which is by the time of the last failure. */
export interface LetterPlace {
  readonly failedAt: number;
  readonly letter: string;
}

/** Before every letter. */
export const firstPlace: LetterPlace = { failedAt: -1, letter: '' };

/** Letters behind a place, in the order of `letters_by_time`. */
export const behindPlace = `(dead_letter.last_failed_at > ? OR (dead_letter.last_failed_at = ? AND dead_letter.letter > ?))`;

export function placeValues({ failedAt, letter }: LetterPlace): readonly unknown[] {
  return [failedAt, failedAt, letter];
}

/**
 * Closes the letters whose version the mark has passed. One that the `skip` policy passed over stays open while it is
 * the mark, because until then a replay can still apply it.
 */
export async function closeSettledLetters(tx: EntityManager, consumer: Consumer, nowMs: number): Promise<void> {
  let after: LetterPlace | undefined = firstPlace;
  while (after !== undefined) after = await closeSettledPage(tx, consumer, nowMs, after);
}

/** The same for one page of the open letters; the place to go on from, or undefined at the end. */
export async function closeSettledPage(
  tx: EntityManager,
  consumer: Consumer,
  nowMs: number,
  after: LetterPlace,
): Promise<LetterPlace | undefined> {
  const page = await closeSettled(tx, consumer, nowMs, {
    index: 'letters_by_time',
    sql: behindPlace,
    values: placeValues(after),
  });
  const last = page.at(-1);
  return last && page.length === lettersPerPage
    ? { failedAt: Number(last.last_failed_at), letter: last.letter }
    : undefined;
}

/** The same for one letter, or for the letters of one aggregate. */
export async function closeIfSettled(
  tx: EntityManager,
  consumer: Consumer,
  nowMs: number,
  which: { readonly letter: string } | { readonly aggregateId: string },
): Promise<void> {
  const condition =
    'letter' in which
      ? { index: 'PRIMARY', sql: 'dead_letter.letter = ?', values: [which.letter] }
      : {
          index: 'letters_of_aggregate',
          sql: 'dead_letter.aggregatetype = ? AND dead_letter.aggregateid = ?',
          values: [consumer.aggregateType, which.aggregateId],
        };
  await closeSettled(tx, consumer, nowMs, condition);
}

interface OpenLetter {
  readonly letter: string;
  readonly last_failed_at: string | number;
  readonly settled_by: 'applied' | 'skipped' | null;
}

/** Looks at the open letters that fit, a page at most, and closes those that are settled. */
async function closeSettled(
  tx: EntityManager,
  { group }: Consumer,
  nowMs: number,
  { index, sql, values }: { readonly index: string; readonly sql: string; readonly values: readonly unknown[] },
): Promise<readonly OpenLetter[]> {
  // The page first, then its marks: a join under the LIMIT would walk all that is open to find a page of what is settled.
  const page: readonly OpenLetter[] = await tx.query(
    `SELECT open.letter, open.last_failed_at,
       CASE WHEN open.reason IN (?) THEN NULL
         WHEN mark.version > open.version OR (mark.version = open.version AND COALESCE(skipped.decided_by, 'hand') = 'hand')
           THEN IF(skipped.event_id IS NULL, 'applied', 'skipped')
       END AS settled_by
     FROM (SELECT consumer, letter, aggregatetype, aggregateid, version, event_id, reason, last_failed_at
       FROM dead_letter FORCE INDEX (${index}) WHERE dead_letter.consumer = ? AND dead_letter.is_open = 1 AND ${sql}
       ORDER BY dead_letter.last_failed_at, dead_letter.letter LIMIT ${lettersPerPage}) AS open
     LEFT JOIN mark USING (consumer, aggregatetype, aggregateid)
     LEFT JOIN skipped ON skipped.consumer = open.consumer AND skipped.aggregatetype = open.aggregatetype
       AND skipped.aggregateid = open.aggregateid AND skipped.version = open.version AND skipped.event_id = open.event_id
     ORDER BY open.last_failed_at, open.letter`,
    [closedByHandOnly, group, ...values],
  );
  for (const by of ['applied', 'skipped'] as const) {
    const settled = page.filter(({ settled_by: settledBy }) => settledBy === by);
    if (settled.length === 0) continue;
    await tx.query(
      'UPDATE dead_letter SET closed_at = ?, closed_by = ? WHERE consumer = ? AND letter IN (?) AND closed_at IS NULL',
      [nowMs, by, group, settled.map(({ letter }) => letter)],
    );
  }
  return page;
}

/** How many letters are open, by reason. */
export async function countOpenLetters(
  tx: EntityManager,
  consumer: Consumer,
): Promise<ReadonlyMap<DeadLetterReason, number>> {
  const rows: readonly { reason: DeadLetterReason; letters: string }[] = await tx.query(
    'SELECT reason, COUNT(*) AS letters FROM dead_letter WHERE consumer = ? AND is_open = 1 GROUP BY reason ORDER BY reason',
    [consumer.group],
  );
  return new Map(rows.map(({ reason, letters }) => [reason, Number(letters)]));
}

/** Open letters whose error begins with a text: how many, and the ids of the first of them. */
export async function findLettersByError(
  dataSource: DataSource,
  { group }: Consumer,
  text: string,
  limit: number,
): Promise<{ readonly count: number; readonly letters: readonly string[] }> {
  const where = `FROM dead_letter WHERE consumer = ? AND closed_at IS NULL AND reason = 'invalid-event' AND LEFT(error_message, CHAR_LENGTH(?)) = ?`;
  const [row]: readonly { letters: string }[] = await dataSource.query(`SELECT COUNT(*) AS letters ${where}`, [
    group,
    text,
    text,
  ]);
  const rows: readonly { letter: string }[] = await dataSource.query(
    `SELECT letter ${where} ORDER BY last_failed_at, letter LIMIT ?`,
    [group, text, text, limit],
  );
  return { count: Number(row?.letters ?? 0), letters: rows.map(({ letter }) => letter) };
}
