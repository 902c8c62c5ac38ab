import { boardTopic } from '@board/contracts';
import type { RunSql } from '../audit/run-sql.ts';
import type { Fact } from './fact.ts';

export interface TracedBoard {
  readonly version: number;
  readonly createdAtMs: number;
  readonly deletedAtMs: number | undefined;
}

/** The board's row, and what the outbox still has of its events. */
export async function readOrderSide(
  sql: RunSql,
  schema: string,
  boardId: string,
): Promise<{ readonly board: TracedBoard | undefined; readonly facts: readonly Fact[] }> {
  const [board] = await sql<BoardRow>(`SELECT version, created_at, deleted_at FROM ${schema}.board WHERE id = ?`, [
    boardId,
  ]);
  const rows = await sql<OutboxRow>(
    `SELECT id, version, type, traceparent, occurred_at FROM ${schema}.outbox
     WHERE aggregatetype = ? AND aggregateid = ? ORDER BY version`,
    [boardTopic.name, boardId],
  );
  return {
    board: board && {
      version: board.version,
      createdAtMs: board.created_at.getTime(),
      deletedAtMs: board.deleted_at?.getTime(),
    },
    facts: rows.map((row) => ({
      version: row.version,
      eventId: row.id,
      eventType: row.type,
      traceparent: row.traceparent ?? undefined,
      atMs: row.occurred_at.getTime(),
      step: { kind: 'changed' },
    })),
  };
}

interface BoardRow {
  readonly version: number;
  readonly created_at: Date;
  readonly deleted_at: Date | null;
}

interface OutboxRow {
  readonly id: string;
  readonly version: number;
  readonly type: string;
  readonly traceparent: string | null;
  readonly occurred_at: Date;
}
