import assert from 'node:assert/strict';

/** One connection to the database; what was seen on it is deleted on it, or not at all. */
export interface PurgeSession {
  query<Row>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** How many rows the statement has changed. */
  change(sql: string, values?: readonly unknown[]): Promise<number>;
}

/** A row's key; text where a number would lose digits. */
export type Seq = number | string;

/** What an outbox row says of its event, the payload left out. */
export interface OldRow {
  readonly seq: Seq;
  readonly id: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly version: number;
}

/** Both as the database writes times. */
export interface Cutoff {
  /** What happened before it is old. */
  readonly cutoff: string;
  readonly now: string;
}

interface Row extends OldRow {
  readonly is_old: number;
  readonly is_future: number;
}

const stepRows = 1_000;

/** By the database's clock, the same for every process that purges. */
export async function noteCutoff(session: PurgeSession, retentionMs: number): Promise<Cutoff> {
  const [row] = await session.query<Cutoff>(
    `SELECT CAST(moment AS CHAR) AS now, CAST(moment - INTERVAL ? MICROSECOND AS CHAR) AS cutoff
     FROM (SELECT UTC_TIMESTAMP(6) AS moment) AS clock`,
    [retentionMs * 1_000],
  );
  assert(row?.cutoff, `the database has no time ${retentionMs} ms ago`);
  return row;
}

/**
 * Committed rows from before the cutoff, in small steps by `seq`.
 *
 * There is no index on the time, and rows lie nearly in its order: the walk ends at the first step
 * of young rows only. An old row behind them is found by a later purge, once those in front are old
 * too. Rows from the future (a clock that jumped) do not end it: they would, for years.
 */
export async function* listOldRows(
  session: PurgeSession,
  { cutoff, now }: Cutoff,
): AsyncGenerator<readonly OldRow[]> {
  for (let after: Seq = 0; ;) {
    const rows: readonly Row[] = await session.query<Row>(
      `SELECT seq, id, aggregatetype AS aggregateType, aggregateid AS aggregateId, version,
         occurred_at < ? AS is_old, occurred_at > ? AS is_future
       FROM outbox WHERE seq > ? ORDER BY seq LIMIT ${stepRows}`,
      [cutoff, now, after],
    );
    const old = rows.filter(({ is_old: isOld }) => isOld === 1);
    if (old.length > 0) yield old.map(({ is_old: _old, is_future: _future, ...row }) => row);
    const isYoung = rows.every(
      ({ is_old: isOld, is_future: isFuture }) => isOld === 0 && isFuture === 0,
    );
    const last = rows.at(-1);
    if (last === undefined || rows.length < stepRows || isYoung) return;
    after = last.seq;
  }
}
