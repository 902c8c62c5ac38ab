import type { RunSql } from '../../cli/run-sql.ts';
import type { Fact } from './fact.ts';

export interface TracedAggregate {
  readonly version: number;
  readonly createdAtMs: number;
  readonly deletedAtMs: number | undefined;
}

/** Which aggregate, and where its own service's tables are. */
export interface SourceKey {
  readonly schema: string;
  readonly table: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
}

/** The aggregate's row, and what the outbox still has of its events. */
export async function readSourceSide(
  sql: RunSql,
  { schema, table, aggregateType, aggregateId }: SourceKey,
): Promise<{ readonly aggregate: TracedAggregate | undefined; readonly facts: readonly Fact[] }> {
  const [row] = await sql<AggregateRow>(
    `SELECT version, created_at, deleted_at FROM ${schema}.${table} WHERE id = ?`,
    [aggregateId],
  );
  const rows = await sql<OutboxRow>(
    `SELECT id, version, type, traceparent, occurred_at FROM ${schema}.outbox
     WHERE aggregatetype = ? AND aggregateid = ? ORDER BY version`,
    [aggregateType, aggregateId],
  );
  return {
    aggregate: row && {
      version: row.version,
      createdAtMs: row.created_at.getTime(),
      deletedAtMs: row.deleted_at?.getTime(),
    },
    facts: rows.map((event) => ({
      version: event.version,
      eventId: event.id,
      eventType: event.type,
      traceparent: event.traceparent ?? undefined,
      atMs: event.occurred_at.getTime(),
      step: { kind: 'changed' },
    })),
  };
}

interface AggregateRow {
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
