import type { EntityManager } from 'typeorm';
import { describeError } from '../errors.ts';
import type { DeadLetterReason } from '../record.ts';
import {
  type BreakerState,
  type ConsumerKey,
  type DeadLetterIndex,
  type DeadLetterPlace,
  type StoredDeadLetter,
  firstPlace,
} from './store.ts';

/**
 * Milliseconds since the epoch by the database's clock, as SQL: the one clock that all instances
 * share. By UTC, because a session's time zone repeats an hour once a year.
 */
const databaseNowMs = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000)";

/** Reasons whose dead letters no mark can close: only `dismiss` does. */
const closedByHandOnly: readonly DeadLetterReason[] = ['no-identity', 'conflict'];

const deadLettersPerPage = 1_000;

/** Dead letters behind a place, in the order of `letters_by_time`. */
export const behindPlace = `(dead_letter.last_failed_at > ? OR (dead_letter.last_failed_at = ? AND dead_letter.letter > ?))`;

export function placeValues({ failedAt, id }: DeadLetterPlace): readonly unknown[] {
  return [failedAt, failedAt, id];
}

/** The index of the DLQ in MySQL: table `dead_letter`. */
export function mysqlDeadLetters(
  manager: EntityManager,
  consumer: ConsumerKey,
  nowMs: () => number,
): DeadLetterIndex {
  const { group, aggregateType } = consumer;

  /**
   * Looks at the open dead letters that fit, a page at most, and closes those that the mark has
   * passed.
   */
  async function close({ index, sql, values }: Which): Promise<readonly OpenDeadLetter[]> {
    // The page first, then its marks: a join under the LIMIT would walk all that is open to find a
    // page of what can be closed.
    const page: readonly OpenDeadLetter[] = await manager.query(
      `SELECT open.letter, open.last_failed_at,
         CASE WHEN open.reason IN (?) THEN NULL
           WHEN mark.version > open.version OR (mark.version = open.version AND COALESCE(skipped.decided_by, 'hand') = 'hand')
             THEN IF(skipped.event_id IS NULL, 'applied', 'skipped')
         END AS passed_by
       FROM (SELECT consumer, letter, aggregatetype, aggregateid, version, event_id, reason, last_failed_at
         FROM dead_letter FORCE INDEX (${index}) WHERE dead_letter.consumer = ? AND dead_letter.is_open = 1 AND ${sql}
         ORDER BY dead_letter.last_failed_at, dead_letter.letter LIMIT ${deadLettersPerPage}) AS open
       LEFT JOIN mark USING (consumer, aggregatetype, aggregateid)
       LEFT JOIN skipped ON skipped.consumer = open.consumer AND skipped.aggregatetype = open.aggregatetype
         AND skipped.aggregateid = open.aggregateid AND skipped.version = open.version AND skipped.event_id = open.event_id
       ORDER BY open.last_failed_at, open.letter`,
      [closedByHandOnly, group, ...values],
    );
    for (const by of ['applied', 'skipped'] as const) {
      const passed = page.filter(({ passed_by: passedBy }) => passedBy === by);
      if (passed.length === 0) continue;
      await manager.query(
        'UPDATE dead_letter SET closed_at = ?, closed_by = ? WHERE consumer = ? AND letter IN (?) AND closed_at IS NULL',
        [nowMs(), by, group, passed.map(({ letter }) => letter)],
      );
    }
    return page;
  }

  return {
    async record(deadLetters) {
      if (deadLetters.length === 0) return;
      const rows = deadLetters.map((one) => toRow(consumer, one, nowMs()));
      await manager.query(
        `INSERT INTO dead_letter (consumer, letter, aggregatetype, aggregateid, version, event_id, reason, attempts, error_class, error_message,
           topic, kafka_partition, kafka_offset, last_offset, bare, dlq_partition, dlq_offset, copies, first_failed_at, last_failed_at)
         VALUES ? AS copy ON DUPLICATE KEY UPDATE
           reason = copy.reason, attempts = copy.attempts, error_class = copy.error_class, error_message = copy.error_message,
           bare = copy.bare, dlq_partition = copy.dlq_partition, dlq_offset = copy.dlq_offset, copies = dead_letter.copies + 1,
           last_failed_at = copy.last_failed_at,
           closed_at = IF(dead_letter.closed_by = 'dismissed', dead_letter.closed_at, NULL),
           closed_by = IF(dead_letter.closed_by = 'dismissed', dead_letter.closed_by, NULL)`,
        // Sorted, so that two instances wait for each other in one order.
        [rows.sort(([, a], [, b]) => (String(a) < String(b) ? -1 : 1))],
      );
    },

    async closePage(after) {
      const page = await close({
        index: 'letters_by_time',
        sql: behindPlace,
        values: placeValues(after),
      });
      const last = page.at(-1);
      return last && page.length === deadLettersPerPage
        ? { failedAt: Number(last.last_failed_at), id: last.letter }
        : undefined;
    },

    async closeOf(which) {
      await close(
        'id' in which
          ? { index: 'PRIMARY', sql: 'dead_letter.letter = ?', values: [which.id] }
          : {
              index: 'letters_of_aggregate',
              sql: 'dead_letter.aggregatetype = ? AND dead_letter.aggregateid = ?',
              values: [aggregateType, which.aggregateId],
            },
      );
    },

    async countOpen() {
      const rows: readonly { reason: DeadLetterReason; count: string }[] = await manager.query(
        'SELECT reason, COUNT(*) AS count FROM dead_letter WHERE consumer = ? AND is_open = 1 GROUP BY reason ORDER BY reason',
        [group],
      );
      return new Map(rows.map(({ reason, count }) => [reason, Number(count)]));
    },
  };
}

interface Which {
  readonly index: string;
  readonly sql: string;
  readonly values: readonly unknown[];
}

interface OpenDeadLetter {
  readonly letter: string;
  readonly last_failed_at: string | number;
  readonly passed_by: 'applied' | 'skipped' | null;
}

function toRow(
  { group, aggregateType }: ConsumerKey,
  { failure, identity, dlqOffset }: StoredDeadLetter,
  nowMs: number,
): unknown[] {
  const { origin } = failure.record;
  const { errorClass, message } = describeError(failure.error);
  return [
    group,
    identity?.eventId ?? `${origin.topic}/${origin.partition}/${origin.offset}`,
    aggregateType,
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
    // The circuit breaker counts those of every instance within its window.
    { toSqlString: () => databaseNowMs },
  ];
}

/** Closes every open dead letter whose version the mark has passed. */
export async function closeAllPassed(deadLetters: DeadLetterIndex): Promise<void> {
  let after: DeadLetterPlace | undefined = firstPlace;
  while (after !== undefined) after = await deadLetters.closePage(after);
}

// Every time here is the database's: instances whose clocks differ would wait for each other's.

/** The state of the circuit breaker in MySQL: table `flood_guard`. */
export function mysqlBreakerState(manager: EntityManager, { group }: ConsumerKey): BreakerState {
  return {
    async openedAt() {
      const [row]: readonly { opened_at: string | null }[] = await manager.query(
        'SELECT opened_at FROM flood_guard WHERE consumer = ?',
        [group],
      );
      return row?.opened_at ? Number(row.opened_at) : undefined;
    },

    async open(probeAfterMs) {
      await manager.query(
        `INSERT INTO flood_guard (consumer, opened_at, probe_at) VALUES (?, ${databaseNowMs}, ${databaseNowMs} + ?) AS opened
         ON DUPLICATE KEY UPDATE probe_at = IF(flood_guard.opened_at IS NULL, opened.probe_at, flood_guard.probe_at),
           opened_at = COALESCE(flood_guard.opened_at, opened.opened_at)`,
        [group, probeAfterMs],
      );
    },

    async close() {
      await manager.query('UPDATE flood_guard SET opened_at = NULL WHERE consumer = ?', [group]);
    },

    async claimProbe(everyMs) {
      // A probe that is due later than one interval from now was timed by a clock that has been set
      // back since.
      const result: { affectedRows: number } = await manager.query(
        `UPDATE flood_guard SET probe_at = ${databaseNowMs} + ? WHERE consumer = ? AND opened_at IS NOT NULL
           AND (probe_at <= ${databaseNowMs} OR probe_at > ${databaseNowMs} + ?)`,
        [everyMs, group, everyMs],
      );
      return result.affectedRows === 1;
    },

    async returnProbe() {
      await manager.query(`UPDATE flood_guard SET probe_at = ${databaseNowMs} WHERE consumer = ?`, [
        group,
      ]);
    },

    async countDeadLetters(windowMs) {
      const [row]: readonly { count: string }[] = await manager.query(
        `SELECT COUNT(*) AS count FROM dead_letter
         WHERE consumer = ? AND is_open = 1 AND reason IN ('attempts-exhausted', 'unprocessable')
            AND event_id IS NOT NULL AND last_failed_at >= ${databaseNowMs} - ?`,
        [group, windowMs],
      );
      return Number(row?.count ?? 0);
    },
  };
}
