import type { Digest, IdRange, SourceEntry, SourceSide } from '@board/inbox';
import { rangeOf, type RunSql } from '../../cli/run-sql.ts';
import type { ComparedContent } from './contents.ts';

export interface SourcePlace {
  readonly schema: string;
  readonly table: string;
  readonly aggregateType: string;
}

/**
 * The aggregates as their own service has them, the deleted ones too; their events as long as the
 * outbox still has them.
 */
export function sourceSide(
  sql: RunSql,
  { schema, table, aggregateType }: SourcePlace,
  compared: ComparedContent | undefined,
): SourceSide {
  const aggregate = `${schema}.${table}`;
  const content = compared?.of('aggregate') ?? "''";
  const aggregates = `${aggregate} AS aggregate LEFT JOIN ${schema}.outbox AS outbox
    ON outbox.aggregatetype = '${aggregateType}' AND outbox.aggregateid = aggregate.id AND outbox.version = aggregate.version`;
  const entries = `SELECT aggregate.id, aggregate.version, SHA2(${content}, 256) AS content, outbox.id AS event_id FROM ${aggregates}`;

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
           HEX(BIT_XOR(UNHEX(SHA2(CONCAT_WS('|', aggregate.id, aggregate.version, ${content}), 256)))) AS state,
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
      return (await sql<Row>(`${entries} WHERE ${where} ORDER BY aggregate.id`, values)).map(
        toEntry,
      );
    },
    async find(ids) {
      if (ids.length === 0) return [];
      return (await sql<Row>(`${entries} WHERE aggregate.id IN (?)`, [ids])).map(toEntry);
    },
  };
}

interface Row {
  readonly id: string;
  readonly version: number;
  readonly content: string;
  readonly event_id: string | null;
}

function toEntry({ id, version, content, event_id: eventId }: Row): SourceEntry {
  return { id, version, content, eventId: eventId ?? undefined };
}
