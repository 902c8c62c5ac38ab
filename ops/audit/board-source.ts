import type { Digest, IdRange, SourceEntry, SourceSide } from '@board/inbox';
import { boardTopic } from '@board/contracts';
import { boardContent } from './board-content.ts';
import { rangeOf, type RunSql } from './run-sql.ts';

/** order-service's boards, the deleted ones too; their events as long as the outbox still has them. */
export function boardSource(sql: RunSql, schema: string): SourceSide {
  const board = `${schema}.board`;
  const boards = `${board} AS board LEFT JOIN ${schema}.outbox AS outbox
    ON outbox.aggregatetype = '${boardTopic.name}' AND outbox.aggregateid = board.id AND outbox.version = board.version`;
  const entries = `SELECT board.id, board.version, SHA2(${boardContent('board')}, 256) AS content, outbox.id AS event_id FROM ${boards}`;

  return {
    async boundary(after, count) {
      const [row] = await sql<{ id: string }>(`SELECT id FROM ${board} WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?`, [
        after,
        count - 1,
      ]);
      return row?.id;
    },
    async digest(range: IdRange) {
      const { where, values } = rangeOf('board.id', range);
      const [digest] = await sql<Digest>(
        `SELECT COUNT(*) AS count,
           HEX(BIT_XOR(UNHEX(SHA2(CONCAT_WS('|', board.id, board.version, ${boardContent('board')}), 256)))) AS state,
           COUNT(outbox.id) AS known,
           HEX(BIT_XOR(UNHEX(SHA2(CONCAT_WS('|', board.id, outbox.id), 256)))) AS events
         FROM ${boards} WHERE ${where}`,
        values,
      );
      if (digest === undefined) throw new Error('an aggregate without groups always has one row');
      return digest;
    },
    async list(range) {
      const { where, values } = rangeOf('board.id', range);
      return (await sql<Row>(`${entries} WHERE ${where} ORDER BY board.id`, values)).map(toEntry);
    },
    async find(ids) {
      if (ids.length === 0) return [];
      return (await sql<Row>(`${entries} WHERE board.id IN (?)`, [ids])).map(toEntry);
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
