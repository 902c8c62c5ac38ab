import type { DataSource, EntityManager } from 'typeorm';
import type { Identity } from '../decide/identity.ts';
import type { Consumer } from '../consumer.ts';
import { describeError } from '../route/describe-error.ts';
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
       topic, kafka_partition, kafka_offset, dlq_partition, dlq_offset, copies, first_failed_at, last_failed_at)
     VALUES ? AS copy ON DUPLICATE KEY UPDATE
       reason = copy.reason, attempts = copy.attempts, error_class = copy.error_class, error_message = copy.error_message,
       dlq_partition = copy.dlq_partition, dlq_offset = copy.dlq_offset, copies = dead_letter.copies + 1,
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
    origin.partition,
    String(dlqOffset),
    1,
    failure.firstFailedAtMs ?? nowMs,
    nowMs,
  ];
}

const lettersPerRound = 1_000;

/**
 * Closes the letters whose version the mark has passed. One that the `skip` policy passed over stays open while it is
 * the mark, because until then a replay can still apply it.
 */
export async function closeSettledLetters(tx: EntityManager, consumer: Consumer, nowMs: number): Promise<void> {
  let closed: number;
  do {
    closed = 0;
    const settled: readonly { letter: string; skipped: string | number }[] = await tx.query(findSettled, [
      consumer.group,
      closedByHandOnly,
      lettersPerRound,
    ]);
    for (const by of ['applied', 'skipped'] as const) {
      const letters = settled.filter(({ skipped }) => (Number(skipped) === 1) === (by === 'skipped'));
      if (letters.length === 0) continue;
      const result: { affectedRows: number } = await tx.query(
        'UPDATE dead_letter SET closed_at = ?, closed_by = ? WHERE consumer = ? AND letter IN (?) AND closed_at IS NULL',
        [nowMs, by, consumer.group, letters.map(({ letter }) => letter)],
      );
      closed += result.affectedRows;
    }
  } while (closed >= lettersPerRound);
}

const findSettled = `
  SELECT dead_letter.letter, skipped.event_id IS NOT NULL AS skipped
  FROM dead_letter
  JOIN mark USING (consumer, aggregatetype, aggregateid)
  LEFT JOIN skipped ON skipped.consumer = dead_letter.consumer AND skipped.aggregatetype = dead_letter.aggregatetype
    AND skipped.aggregateid = dead_letter.aggregateid AND skipped.version = dead_letter.version
    AND skipped.event_id = dead_letter.event_id
  WHERE dead_letter.consumer = ? AND dead_letter.closed_at IS NULL AND dead_letter.reason NOT IN (?)
    AND (mark.version > dead_letter.version
      OR (mark.version = dead_letter.version AND COALESCE(skipped.decided_by, 'hand') = 'hand'))
  ORDER BY dead_letter.letter LIMIT ?`;

/** How many letters are open, by reason. */
export async function countOpenLetters(
  tx: EntityManager,
  consumer: Consumer,
): Promise<ReadonlyMap<DeadLetterReason, number>> {
  const rows: readonly { reason: DeadLetterReason; letters: string }[] = await tx.query(
    'SELECT reason, COUNT(*) AS letters FROM dead_letter WHERE consumer = ? AND closed_at IS NULL GROUP BY reason ORDER BY reason',
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
