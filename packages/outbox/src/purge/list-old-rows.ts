import type { PurgeSession } from './purge-session.ts';

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

export interface Cutoff {
  readonly cutoff: string;
  readonly now: string;
}

const stepRows = 1_000;

/** By the database's clock, the same for everybody who purges. */
export async function noteCutoff(session: PurgeSession, retentionMs: number): Promise<Cutoff> {
  const [row] = await session.query<Cutoff>(
    `SELECT CAST(moment AS CHAR) AS now, CAST(moment - INTERVAL ? MICROSECOND AS CHAR) AS cutoff
     FROM (SELECT UTC_TIMESTAMP(6) AS moment) AS clock`,
    [retentionMs * 1_000],
  );
  if (row === undefined) throw new Error('a statement without a table always has one row');
  return row;
}

/**
 * Committed rows from before the cutoff, in small steps by `seq`.
 *
 * There is no index on the time, and rows lie nearly in its order: the walk ends at the first step of young rows only. An old row
 * behind them is found by a later purge, once those in front are old too. Rows from the future (a clock that jumped) do
 * not end it: they would, for years.
 */
export async function* listOldRows(session: PurgeSession, { cutoff, now }: Cutoff): AsyncGenerator<readonly OldRow[]> {
  for (let after: Seq = 0; ;) {
    const rows: readonly Row[] = await session.query<Row>(
      `SELECT seq, id, aggregatetype AS aggregateType, aggregateid AS aggregateId, version,
         occurred_at < ? AS is_old, occurred_at > ? AS is_future
       FROM outbox WHERE seq > ? ORDER BY seq LIMIT ${stepRows}`,
      [cutoff, now, after],
    );
    const old = rows.filter(({ is_old: isOld }) => isOld === 1);
    if (old.length > 0) yield old.map(({ is_old: _old, is_future: _future, ...row }) => row);
    const isYoung = rows.every(({ is_old: isOld, is_future: isFuture }) => isOld === 0 && isFuture === 0);
    const last = rows.at(-1);
    if (last === undefined || rows.length < stepRows || isYoung) return;
    after = last.seq;
  }
}

interface Row extends OldRow {
  readonly is_old: number;
  readonly is_future: number;
}
