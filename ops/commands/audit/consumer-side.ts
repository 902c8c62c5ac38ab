import {
  probeAggregateId,
  type ConsumerEntry,
  type ConsumerSide,
  type IdRange,
} from '@board/inbox';
import { rangeOf, type RunSql } from '../../cli/run-sql.ts';
import type { ComparedContent } from './contents.ts';

export interface ConsumerPlace {
  readonly schema: string;
  readonly group: string;
  readonly aggregateType: string;
}

/**
 * What a consumer has of each aggregate: its mark, its entry where it keeps one, and what is known
 * of the event that comes next.
 */
export function consumerSide(
  sql: RunSql,
  { schema, group, aggregateType }: ConsumerPlace,
  compared: ComparedContent | undefined,
): ConsumerSide {
  const whose = [group, aggregateType];
  // Without entries every mark counts as one, with nothing in it: what is left to compare are
  // versions and events.
  const entryTable = compared === undefined ? undefined : `${schema}.${compared.table}`;
  const content = compared?.of('entry') ?? "''";
  const joined = (id: string): string =>
    entryTable === undefined ? '' : `LEFT JOIN ${entryTable} AS entry ON entry.id = ${id}`;
  const ofAggregate = (table: string): string =>
    `${table}.consumer = ? AND ${table}.aggregatetype = ? AND ${table}.aggregateid = aggregate.id`;

  /** The inbox tries itself with an aggregate that has a mark but never was one. */
  const isReal = (column: string): string => `${column} <> '${probeAggregateId}'`;

  // The indexes are named: with statistics of a moment ago MySQL takes those of everything that
  // waits, once for each board.
  /** One entry for each id that the FROM item `aggregates` names `aggregate`. */
  const entries = async (
    aggregates: string,
    values: readonly string[],
  ): Promise<readonly ConsumerEntry[]> => {
    const rows = await sql<Row>(
      `SELECT aggregate.id, COALESCE(mark.version, 0) AS version, NULLIF(mark.event_id, '') AS event_id,
         SHA2(${content}, 256) AS content, ${entryTable === undefined ? 'mark.aggregateid' : 'entry.id'} IS NOT NULL AS has_entry,
         EXISTS (SELECT 1 FROM ${schema}.skipped WHERE ${ofAggregate('skipped')} AND skipped.version = mark.version) AS skipped,
         EXISTS (SELECT 1 FROM ${schema}.parked FORCE INDEX (PRIMARY) WHERE ${ofAggregate('parked')} AND parked.version = COALESCE(mark.version, 0) + 1) AS next_parked,
         EXISTS (SELECT 1 FROM ${schema}.dead_letter FORCE INDEX (letters_of_aggregate) WHERE ${ofAggregate('dead_letter')} AND dead_letter.closed_at IS NULL
           AND dead_letter.version = COALESCE(mark.version, 0) + 1) AS next_dead,
         EXISTS (SELECT 1 FROM ${schema}.dead_letter FORCE INDEX (letters_of_aggregate) WHERE ${ofAggregate('dead_letter')} AND dead_letter.closed_at IS NULL
           AND dead_letter.reason = 'conflict') AS conflict
       FROM ${aggregates} LEFT JOIN ${schema}.mark ON ${ofAggregate('mark')} ${joined('aggregate.id')}
       ORDER BY aggregate.id`,
      [...whose, ...whose, ...whose, ...whose, ...values, ...whose],
    );
    return rows.map(toEntry);
  };

  return {
    async boundary(after, count) {
      const marks = `(SELECT aggregateid AS id FROM ${schema}.mark WHERE consumer = ? AND aggregatetype = ? AND aggregateid > ?
           AND ${isReal('aggregateid')} ORDER BY aggregateid LIMIT 1 OFFSET ?)`;
      const stored =
        entryTable === undefined
          ? ''
          : ` UNION (SELECT id FROM ${entryTable} WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?)`;
      const page = [after, count - 1];
      const rows = await sql<{ id: string }>(`${marks}${stored} ORDER BY id LIMIT 1`, [
        ...whose,
        ...page,
        ...(entryTable === undefined ? [] : page),
      ]);
      return rows[0]?.id;
    },

    async digest(range) {
      const marks = rangeOf('mark.aggregateid', range);
      const stored = rangeOf('id', range);
      const deadLetters = rangeOf('dead_letter.aggregateid', range);
      const [row] = await sql<DigestRow>(
        `SELECT COUNT(*) AS marks,
           HEX(BIT_XOR(UNHEX(SHA2(CONCAT_WS('|', mark.aggregateid, mark.version, ${content}), 256)))) AS state,
           COUNT(NULLIF(mark.event_id, '')) AS known,
           HEX(BIT_XOR(UNHEX(SHA2(CONCAT_WS('|', mark.aggregateid, NULLIF(mark.event_id, '')), 256)))) AS events,
           ${entryTable === undefined ? '0' : 'COUNT(entry.id)'} AS with_entry,
           ${entryTable === undefined ? '0' : `(SELECT COUNT(*) FROM ${entryTable} WHERE ${stored.where})`} AS entries,
           (SELECT COUNT(*) FROM ${schema}.dead_letter FORCE INDEX (letters_of_aggregate) WHERE consumer = ? AND aggregatetype = ? AND ${deadLetters.where}
              AND closed_at IS NULL AND reason = 'conflict') AS conflicts
         FROM ${schema}.mark ${joined('mark.aggregateid')}
         WHERE mark.consumer = ? AND mark.aggregatetype = ? AND ${marks.where} AND ${isReal('mark.aggregateid')}`,
        [
          ...(entryTable === undefined ? [] : stored.values),
          ...whose,
          ...deadLetters.values,
          ...whose,
          ...marks.values,
        ],
      );
      if (row === undefined) throw new Error('an aggregate without groups always has one row');
      const {
        marks: count,
        state,
        known,
        events,
        with_entry: withEntry,
        entries: all,
        conflicts,
      } = row;
      // An entry without a mark was not written by the inbox, and no hash over the marks shows it.
      return { count, state, known, events, odd: all - withEntry + conflicts };
    },

    list(range: IdRange) {
      const marks = rangeOf('aggregateid', range);
      const stored = rangeOf('id', range);
      const ofMarks = `SELECT aggregateid AS id FROM ${schema}.mark WHERE consumer = ? AND aggregatetype = ? AND ${marks.where}
             AND ${isReal('aggregateid')}`;
      const ofEntries =
        entryTable === undefined ? '' : ` UNION SELECT id FROM ${entryTable} WHERE ${stored.where}`;
      return entries(`(${ofMarks}${ofEntries}) AS aggregate`, [
        ...whose,
        ...marks.values,
        ...(entryTable === undefined ? [] : stored.values),
      ]);
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
        `JSON_TABLE(?, '$[*]' COLUMNS (id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$')) AS aggregate`,
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
