import {
  selfTestAggregateId,
  type ConsumerEntry,
  type ConsumerSide,
  type Digest,
  type IdRange,
  type SourceEntry,
  type SourceSide,
} from '@board/inbox';
import { rangeOf, type RunSql } from '../../cli/run-sql.ts';
import type { ComparedContent } from '../consumer/consumers.ts';

/** Where the aggregates are, in the database of their own service. */
export interface SourcePlace {
  readonly schema: string;
  readonly table: string;
  readonly aggregateType: string;
}

/**
 * Reads the aggregates from their own service, deleted ones included, with the ids of those events
 * that the outbox still has.
 */
export function sourceSide(
  sql: RunSql,
  { schema, table, aggregateType }: SourcePlace,
  compared: ComparedContent | undefined,
): SourceSide {
  const aggregate = `${schema}.${table}`;
  const content = compared?.of('aggregate') ?? "''";
  const aggregates = `${aggregate} AS aggregate LEFT JOIN ${schema}.outbox AS outbox
    ON outbox.aggregatetype = '${aggregateType}' AND outbox.aggregateid = aggregate.id
      AND outbox.version = aggregate.version`;
  const entries = `SELECT aggregate.id, aggregate.version, SHA2(${content}, 256) AS content,
    outbox.id AS event_id FROM ${aggregates}`;

  return {
    async boundary(after, count) {
      const [row] = await sql<{ id: string }>(
        `SELECT id FROM ${aggregate} WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?`,
        [after, count - 1],
      );
      return row?.id;
    },
    async digest(range: IdRange) {
      const { where, values } = rangeOf('aggregate.id', range);
      const [digest] = await sql<Digest>(
        `SELECT COUNT(*) AS count,
           HEX(BIT_XOR(UNHEX(SHA2(
             CONCAT_WS('|', aggregate.id, aggregate.version, ${content}), 256)))) AS state,
           COUNT(outbox.id) AS known,
           HEX(BIT_XOR(UNHEX(SHA2(CONCAT_WS('|', aggregate.id, outbox.id), 256)))) AS events
         FROM ${aggregates} WHERE ${where}`,
        values,
      );
      if (digest === undefined) throw new Error('an aggregate without groups always has one row');
      return digest;
    },
    async list(range) {
      const { where, values } = rangeOf('aggregate.id', range);
      return (await sql<SourceRow>(`${entries} WHERE ${where} ORDER BY aggregate.id`, values)).map(
        toSourceEntry,
      );
    },
    async find(ids) {
      if (ids.length === 0) return [];
      return (await sql<SourceRow>(`${entries} WHERE aggregate.id IN (?)`, [ids])).map(
        toSourceEntry,
      );
    },
  };
}

interface SourceRow {
  readonly id: string;
  readonly version: number;
  readonly content: string;
  readonly event_id: string | null;
}

function toSourceEntry({ id, version, content, event_id: eventId }: SourceRow): SourceEntry {
  return { id, version, content, eventId: eventId ?? undefined };
}

/** Where a consumer's inbox is. */
export interface ConsumerPlace {
  readonly schema: string;
  readonly group: string;
  readonly aggregateType: string;
}

/**
 * Reads what a consumer has of each aggregate: its mark, its entry where it keeps one, and what is
 * known of the event that comes next. The hashes of `digest` must be built as those of sourceSide.
 */
export function consumerSide(
  sql: RunSql,
  { schema, group, aggregateType }: ConsumerPlace,
  compared: ComparedContent | undefined,
): ConsumerSide {
  const key = [group, aggregateType];
  // Without entries every mark counts as an empty entry: versions and events are compared.
  const entryTable = compared === undefined ? undefined : `${schema}.${compared.table}`;
  const content = compared?.of('entry') ?? "''";
  const joined = (id: string): string =>
    entryTable === undefined ? '' : `LEFT JOIN ${entryTable} AS entry ON entry.id = ${id}`;
  const ofAggregate = (table: string): string =>
    `${table}.consumer = ? AND ${table}.aggregatetype = ? AND ${table}.aggregateid = aggregate.id`;

  /** False for the mark of the inbox's own self-test, which belongs to no aggregate. */
  const isReal = (column: string): string => `${column} <> '${selfTestAggregateId}'`;

  /**
   * One entry for each `aggregate.id` of the FROM item `aggregates`. The statement names the
   * indexes: with old statistics MySQL would read all that waits once for each aggregate.
   */
  const entries = async (
    aggregates: string,
    values: readonly string[],
  ): Promise<readonly ConsumerEntry[]> => {
    const rows = await sql<ConsumerRow>(
      `SELECT aggregate.id, COALESCE(mark.version, 0) AS version,
         NULLIF(mark.event_id, '') AS event_id,
         SHA2(${content}, 256) AS content,
           ${entryTable === undefined ? 'mark.aggregateid' : 'entry.id'} IS NOT NULL AS has_entry,
         EXISTS (SELECT 1 FROM ${schema}.skipped WHERE ${ofAggregate('skipped')}
           AND skipped.version = mark.version) AS skipped,
         EXISTS (SELECT 1 FROM ${schema}.parked FORCE INDEX (PRIMARY)
           WHERE ${ofAggregate('parked')}
             AND parked.version = COALESCE(mark.version, 0) + 1) AS next_parked,
         EXISTS (SELECT 1 FROM ${schema}.dead_letter FORCE INDEX (letters_of_aggregate)
           WHERE ${ofAggregate('dead_letter')} AND dead_letter.closed_at IS NULL
             AND dead_letter.version = COALESCE(mark.version, 0) + 1) AS next_dead,
         EXISTS (SELECT 1 FROM ${schema}.dead_letter FORCE INDEX (letters_of_aggregate)
           WHERE ${ofAggregate('dead_letter')} AND dead_letter.closed_at IS NULL
             AND dead_letter.reason = 'conflict') AS conflict
       FROM ${aggregates} LEFT JOIN ${schema}.mark ON ${ofAggregate('mark')}
         ${joined('aggregate.id')}
       ORDER BY aggregate.id`,
      [...key, ...key, ...key, ...key, ...values, ...key],
    );
    return rows.map(toConsumerEntry);
  };

  return {
    async boundary(after, count) {
      const marks = `(SELECT aggregateid AS id FROM ${schema}.mark
        WHERE consumer = ? AND aggregatetype = ? AND aggregateid > ? AND ${isReal('aggregateid')}
        ORDER BY aggregateid LIMIT 1 OFFSET ?)`;
      const stored =
        entryTable === undefined
          ? ''
          : ` UNION (SELECT id FROM ${entryTable} WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?)`;
      const page = [after, count - 1];
      const rows = await sql<{ id: string }>(`${marks}${stored} ORDER BY id LIMIT 1`, [
        ...key,
        ...page,
        ...(entryTable === undefined ? [] : page),
      ]);
      return rows[0]?.id;
    },

    async digest(range) {
      const marks = rangeOf('mark.aggregateid', range);
      const stored = rangeOf('id', range);
      const deadLetters = rangeOf('dead_letter.aggregateid', range);
      const countEntries =
        entryTable === undefined
          ? '0'
          : `(SELECT COUNT(*) FROM ${entryTable} WHERE ${stored.where})`;
      const [row] = await sql<DigestRow>(
        `SELECT COUNT(*) AS marks,
           HEX(BIT_XOR(UNHEX(SHA2(
             CONCAT_WS('|', mark.aggregateid, mark.version, ${content}), 256)))) AS state,
           COUNT(NULLIF(mark.event_id, '')) AS known,
           HEX(BIT_XOR(UNHEX(SHA2(
             CONCAT_WS('|', mark.aggregateid, NULLIF(mark.event_id, '')), 256)))) AS events,
           ${entryTable === undefined ? '0' : 'COUNT(entry.id)'} AS with_entry,
           ${countEntries} AS entries,
           (SELECT COUNT(*) FROM ${schema}.dead_letter FORCE INDEX (letters_of_aggregate)
             WHERE consumer = ? AND aggregatetype = ? AND ${deadLetters.where}
               AND closed_at IS NULL AND reason = 'conflict') AS conflicts
         FROM ${schema}.mark ${joined('mark.aggregateid')}
         WHERE mark.consumer = ? AND mark.aggregatetype = ? AND ${marks.where}
           AND ${isReal('mark.aggregateid')}`,
        [
          ...(entryTable === undefined ? [] : stored.values),
          ...key,
          ...deadLetters.values,
          ...key,
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
      // No hash over the marks shows an entry without a mark.
      return { count, state, known, events, odd: all - withEntry + conflicts };
    },

    list(range: IdRange) {
      const marks = rangeOf('aggregateid', range);
      const stored = rangeOf('id', range);
      const ofMarks = `SELECT aggregateid AS id FROM ${schema}.mark
        WHERE consumer = ? AND aggregatetype = ? AND ${marks.where} AND ${isReal('aggregateid')}`;
      const ofEntries =
        entryTable === undefined ? '' : ` UNION SELECT id FROM ${entryTable} WHERE ${stored.where}`;
      return entries(`(${ofMarks}${ofEntries}) AS aggregate`, [
        ...key,
        ...marks.values,
        ...(entryTable === undefined ? [] : stored.values),
      ]);
    },

    async holdsUnnamed() {
      const [row] = await sql<{ unnamed: number }>(
        `SELECT EXISTS (SELECT 1 FROM ${schema}.dead_letter
           WHERE consumer = ? AND is_open = 1 AND bare = 1 AND event_id IS NULL) AS unnamed`,
        [group],
      );
      return row?.unnamed === 1;
    },

    async find(ids) {
      if (ids.length === 0) return [];
      // With another character set than the column's MySQL would not use the keys.
      return entries(
        `JSON_TABLE(?, '$[*]' COLUMNS
          (id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$')) AS aggregate`,
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

interface ConsumerRow {
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

function toConsumerEntry(row: ConsumerRow): ConsumerEntry {
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
