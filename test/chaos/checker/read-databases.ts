import { createHash } from 'node:crypto';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import type { Evidence } from './evidence.ts';
import { readEvent } from './read-event.ts';

export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Schemas of the two services. */
  readonly orders: string;
  readonly catalog: string;
}

const consumer = 'catalog-service';

type DatabaseEvidence = Pick<
  Evidence,
  'boards' | 'outbox' | 'catalog' | 'marks' | 'parked' | 'skipped' | 'deadLetters' | 'createdPerDay'
>;

/** Reads both services' tables in one snapshot. */
export async function readDatabases({
  orders,
  catalog,
  ...server
}: DatabaseAddress): Promise<DatabaseEvidence> {
  const connection = await createConnection({
    ...server,
    timezone: 'Z',
    charset: 'utf8mb4',
    // Digits of BIGINT that a number cannot hold, and microseconds that a Date cannot.
    supportBigNumbers: true,
    dateStrings: true,
    connectTimeout: 10_000,
  });
  try {
    await connection.query("SET time_zone = '+00:00'");
    await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
    return await readTables(connection, orders, catalog);
  } finally {
    connection.destroy();
  }
}

async function readTables(
  connection: Connection,
  orders: string,
  catalog: string,
): Promise<DatabaseEvidence> {
  const ask = async <Row>(
    sql: string,
    schema: string,
    values: readonly unknown[] = [],
  ): Promise<readonly Row[]> => {
    const [rows] = await connection.query<RowDataPacket[]>(sql, [schema, ...values]);
    return rows as never;
  };
  const millis = (column: string): string =>
    `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${column}) DIV 1000`;
  const boardFields = `id, version, title, content, author, ${millis('created_at')} AS createdAt,
    ${millis('updated_at')} AS updatedAt, ${millis('deleted_at')} AS deletedAt`;
  const created = await ask<{ day: string; created: number }>(
    'SELECT day, created FROM ??.created_per_day',
    catalog,
  );
  const ofConsumer = 'WHERE consumer = ? AND aggregatetype = ?';
  const keys = [consumer, 'board'];
  const versioned = 'aggregateid AS boardId, version, event_id AS eventId';
  return {
    boards: await ask(`SELECT ${boardFields} FROM ??.board`, orders),
    outbox: await readOutbox(ask, orders),
    catalog: await ask(
      `SELECT ${boardFields}, applied_count AS appliedCount FROM ??.catalog`,
      catalog,
    ),
    createdPerDay: Object.fromEntries(created.map(({ day, created }) => [day, created])),
    marks: await ask(`SELECT ${versioned} FROM ??.mark ${ofConsumer}`, catalog, keys),
    parked: await ask(`SELECT ${versioned} FROM ??.parked ${ofConsumer}`, catalog, keys),
    skipped: await ask(
      `SELECT aggregateid AS boardId, version, decided_by AS decidedBy FROM ??.skipped ${ofConsumer}`,
      catalog,
      keys,
    ),
    deadLetters: await ask(
      `SELECT aggregateid AS boardId, version, event_id AS eventId, reason, error_message AS error, topic,
         kafka_partition AS \`partition\`, kafka_offset AS \`offset\`, COALESCE(last_offset, kafka_offset) AS lastOffset,
         closed_by AS closedBy
       FROM ??.dead_letter ${ofConsumer}`,
      catalog,
      keys,
    ),
  };
}

interface OutboxFields {
  readonly seq: number;
  readonly id: string;
  readonly boardId: string;
  readonly version: number;
  readonly partitionKey: string;
  readonly type: string;
  readonly topic: string;
  readonly occurredAt: string | number;
  readonly traceparent: string | null;
  readonly payload: Buffer;
}

/** A payload may have half a MiB: one page of them is held at a time. */
const rowsPerPage = 500;

async function readOutbox(
  ask: <Row>(sql: string, schema: string, values: readonly unknown[]) => Promise<readonly Row[]>,
  orders: string,
): Promise<Evidence['outbox']> {
  const outbox: Evidence['outbox'][number][] = [];
  for (let after = 0; ;) {
    const page = await ask<OutboxFields>(
      `SELECT seq, id, aggregateid AS boardId, version, partition_key AS partitionKey, type, aggregatetype AS topic,
         TIMESTAMPDIFF(MICROSECOND, '1970-01-01', occurred_at) AS occurredAt, traceparent, payload
       FROM ??.outbox WHERE seq > ? ORDER BY seq LIMIT ?`,
      orders,
      [after, rowsPerPage],
    );
    for (const { seq, payload, occurredAt, ...row } of page) {
      const digest = createHash('sha256').update(payload).digest('hex');
      outbox.push({
        ...row,
        occurredAt: String(occurredAt),
        digest,
        event: readEvent(row.type, payload),
      });
      after = seq;
    }
    if (page.length < rowsPerPage) return outbox;
  }
}
