import { boardTopic } from '@board/contracts';
import { probeAggregateId, type ConsumerEntry, type ConsumerSide, type IdRange } from '@board/inbox';
import { boardContent } from './board-content.ts';
import { rangeOf, type RunSql } from './run-sql.ts';

/** What a consumer has of each board: mark and catalog entry, and what is known of the event that comes next. */
export function catalogSide(sql: RunSql, schema: string, group: string): ConsumerSide {
  const whose = [group, boardTopic.name];
  const ofBoard = (table: string): string =>
    `${table}.consumer = ? AND ${table}.aggregatetype = ? AND ${table}.aggregateid = board.id`;

  /** The inbox tries itself with an aggregate that has a mark but never was a board. */
  const isBoard = (column: string): string => `${column} <> '${probeAggregateId}'`;

  // The indexes are named: with statistics of a moment ago MySQL takes those of everything that waits, once for each board.
  /** One entry for each id that the FROM item `boards` names `board`. */
  const entries = async (boards: string, values: readonly string[]): Promise<readonly ConsumerEntry[]> => {
    const rows = await sql<Row>(
      `SELECT board.id, COALESCE(mark.version, 0) AS version, NULLIF(mark.event_id, '') AS event_id,
         SHA2(${boardContent('catalog')}, 256) AS content, catalog.id IS NOT NULL AS has_entry,
         EXISTS (SELECT 1 FROM ${schema}.skipped WHERE ${ofBoard('skipped')} AND skipped.version = mark.version) AS skipped,
         EXISTS (SELECT 1 FROM ${schema}.parked FORCE INDEX (PRIMARY) WHERE ${ofBoard('parked')} AND parked.version = COALESCE(mark.version, 0) + 1) AS next_parked,
         EXISTS (SELECT 1 FROM ${schema}.dead_letter FORCE INDEX (letters_of_aggregate) WHERE ${ofBoard('dead_letter')} AND dead_letter.closed_at IS NULL
           AND dead_letter.version = COALESCE(mark.version, 0) + 1) AS next_dead,
         EXISTS (SELECT 1 FROM ${schema}.dead_letter FORCE INDEX (letters_of_aggregate) WHERE ${ofBoard('dead_letter')} AND dead_letter.closed_at IS NULL
           AND dead_letter.reason = 'conflict') AS conflict
       FROM ${boards} LEFT JOIN ${schema}.mark ON ${ofBoard('mark')} LEFT JOIN ${schema}.catalog ON catalog.id = board.id
       ORDER BY board.id`,
      [...whose, ...whose, ...whose, ...whose, ...values, ...whose],
    );
    return rows.map(toEntry);
  };

  return {
    async boundary(after, count) {
      const rows = await sql<{ id: string }>(
        `(SELECT aggregateid AS id FROM ${schema}.mark WHERE consumer = ? AND aggregatetype = ? AND aggregateid > ?
           AND ${isBoard('aggregateid')} ORDER BY aggregateid LIMIT 1 OFFSET ?)
         UNION (SELECT id FROM ${schema}.catalog WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?)
         ORDER BY id LIMIT 1`,
        [...whose, after, count - 1, after, count - 1],
      );
      return rows[0]?.id;
    },

    async digest(range) {
      const marks = rangeOf('mark.aggregateid', range);
      const stored = rangeOf('catalog.id', range);
      const letters = rangeOf('dead_letter.aggregateid', range);
      const [row] = await sql<DigestRow>(
        `SELECT COUNT(*) AS marks,
           HEX(BIT_XOR(UNHEX(SHA2(CONCAT_WS('|', mark.aggregateid, mark.version, ${boardContent('catalog')}), 256)))) AS state,
           COUNT(NULLIF(mark.event_id, '')) AS known,
           HEX(BIT_XOR(UNHEX(SHA2(CONCAT_WS('|', mark.aggregateid, NULLIF(mark.event_id, '')), 256)))) AS events,
           COUNT(catalog.id) AS with_entry,
           (SELECT COUNT(*) FROM ${schema}.catalog WHERE ${stored.where}) AS entries,
           (SELECT COUNT(*) FROM ${schema}.dead_letter FORCE INDEX (letters_of_aggregate) WHERE consumer = ? AND aggregatetype = ? AND ${letters.where}
              AND closed_at IS NULL AND reason = 'conflict') AS conflicts
         FROM ${schema}.mark LEFT JOIN ${schema}.catalog ON catalog.id = mark.aggregateid
         WHERE mark.consumer = ? AND mark.aggregatetype = ? AND ${marks.where} AND ${isBoard('mark.aggregateid')}`,
        [...stored.values, ...whose, ...letters.values, ...whose, ...marks.values],
      );
      if (row === undefined) throw new Error('an aggregate without groups always has one row');
      const { marks: count, state, known, events, with_entry: withEntry, entries: all, conflicts } = row;
      // An entry without a mark was not written by the inbox, and no hash over the marks shows it.
      return { count, state, known, events, odd: all - withEntry + conflicts };
    },

    list(range: IdRange) {
      const marks = rangeOf('aggregateid', range);
      const stored = rangeOf('id', range);
      return entries(
        `(SELECT aggregateid AS id FROM ${schema}.mark WHERE consumer = ? AND aggregatetype = ? AND ${marks.where}
             AND ${isBoard('aggregateid')}
           UNION SELECT id FROM ${schema}.catalog WHERE ${stored.where}) AS board`,
        [...whose, ...marks.values, ...stored.values],
      );
    },

    async holdsUnnamed() {
      const [row] = await sql<{ unnamed: number }>(
        `SELECT EXISTS (SELECT 1 FROM ${schema}.dead_letter WHERE consumer = ? AND is_open = 1 AND bare = 1
           AND event_id IS NULL) AS unnamed`,
        [group],
      );
      return row?.unnamed === 1;
    },

    async find(ids) {
      if (ids.length === 0) return [];
      // The column's own character set: with another one MySQL would not use the keys.
      return entries(
        `JSON_TABLE(?, '$[*]' COLUMNS (id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$')) AS board`,
        [JSON.stringify(ids)],
      );
    },
  };
}

interface DigestRow {
  readonly marks: number;
  readonly state: string;
  readonly known: number;
  readonly events: string;
  readonly with_entry: number;
  readonly entries: number;
  readonly conflicts: number;
}

interface Row {
  readonly id: string;
  readonly version: number;
  readonly event_id: string | null;
  readonly content: string | null;
  readonly has_entry: number;
  readonly skipped: number;
  readonly next_parked: number;
  readonly next_dead: number;
  readonly conflict: number;
}

function toEntry(row: Row): ConsumerEntry {
  return {
    id: row.id,
    version: row.version,
    content: row.has_entry === 1 ? (row.content ?? '') : undefined,
    eventId: row.event_id ?? undefined,
    skipped: row.skipped === 1,
    nextParked: row.next_parked === 1,
    nextDead: row.next_dead === 1,
    conflict: row.conflict === 1,
  };
}
