import type { RunSql } from '../../cli/run-sql.ts';
import type { Fact } from './event-facts.ts';

/** The aggregate's row in the database of its own service. */
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

/** Reads the aggregate's row and the rows that the outbox still has of its events. */
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

/** What a consumer's database knows of the aggregate. */
export interface ConsumerState {
  /** Highest version applied or passed over; 0 before the first. */
  readonly mark: number;
  readonly facts: readonly Fact[];
}

/** Which aggregate, and where a consumer's tables are. */
export interface ConsumerKey {
  readonly schema: string;
  readonly group: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
}

/** Reads the consumer's mark, and its rows of events that were parked, skipped or dead letters. */
export async function readConsumerSide(
  sql: RunSql,
  { schema, group, aggregateType, aggregateId }: ConsumerKey,
): Promise<ConsumerState> {
  const ofAggregate = 'consumer = ? AND aggregatetype = ? AND aggregateid = ?';
  const key = [group, aggregateType, aggregateId];
  const [mark] = await sql<{ version: number }>(
    `SELECT version FROM ${schema}.mark WHERE ${ofAggregate}`,
    key,
  );
  const parked = await sql<ParkedRow>(
    `SELECT version, event_id, parked_at FROM ${schema}.parked WHERE ${ofAggregate}
      AND kind = 'event' ORDER BY version`,
    key,
  );
  const skipped = await sql<SkippedRow>(
    `SELECT version, event_id, decided_by, reason, skipped_at FROM ${schema}.skipped
      WHERE ${ofAggregate} ORDER BY version`,
    key,
  );
  const deadLetters = await sql<DeadLetterRow>(
    `SELECT letter.version, letter.event_id, letter.reason, letter.attempts, letter.error_class,
       letter.error_message, letter.dlq_offset, letter.last_failed_at, letter.closed_at,
       letter.closed_by, letter_replay.replayed_at
     FROM ${schema}.dead_letter AS letter LEFT JOIN ${schema}.letter_replay USING (consumer, letter)
     WHERE ${ofAggregate} AND letter.version IS NOT NULL ORDER BY letter.version`,
    key,
  );
  return {
    mark: mark?.version ?? 0,
    facts: [
      ...parked.map((row): Fact => ({
        ...eventOf(row),
        atMs: row.parked_at,
        step: { kind: 'parked' },
      })),
      ...skipped.map((row): Fact => ({
        ...eventOf(row),
        atMs: row.skipped_at,
        step: { kind: 'skipped', decidedBy: row.decided_by, reason: row.reason },
      })),
      ...deadLetters.flatMap(deadLetterFacts),
    ],
  };
}

function deadLetterFacts(row: DeadLetterRow): Fact[] {
  const facts: Fact[] = [
    {
      ...eventOf(row),
      atMs: row.last_failed_at,
      step: {
        kind: 'dead letter',
        reason: row.reason,
        attempts: row.attempts,
        error: `${row.error_class}: ${row.error_message}`,
        dlqOffset: String(row.dlq_offset),
      },
    },
  ];
  if (row.replayed_at !== null)
    facts.push({ ...eventOf(row), atMs: row.replayed_at, step: { kind: 'replayed' } });
  if (row.closed_at !== null)
    facts.push({
      ...eventOf(row),
      atMs: row.closed_at,
      step: { kind: 'closed', how: row.closed_by ?? 'closed' },
    });
  return facts;
}

/** The id is empty for a version that was skipped as lost. */
function eventOf({ version, event_id: eventId }: EventRow): Pick<Fact, 'version' | 'eventId'> {
  return { version, eventId: eventId === null || eventId === '' ? undefined : eventId };
}

interface EventRow {
  readonly version: number;
  readonly event_id: string | null;
}

interface ParkedRow extends EventRow {
  readonly parked_at: number;
}

interface SkippedRow extends EventRow {
  readonly decided_by: string;
  readonly reason: string;
  readonly skipped_at: number;
}

interface DeadLetterRow extends EventRow {
  readonly reason: string;
  readonly attempts: number;
  readonly error_class: string;
  readonly error_message: string;
  readonly dlq_offset: number;
  readonly last_failed_at: number;
  readonly closed_at: number | null;
  readonly closed_by: string | null;
  readonly replayed_at: number | null;
}
