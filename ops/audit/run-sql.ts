import { pinSession } from '@board/database-kit';
import type { IdRange } from '@board/inbox';
import { createConnection, type Connection } from 'mysql2/promise';

/** Runs one statement and gives its rows. */
export type RunSql = <Row>(sql: string, values?: readonly unknown[]) => Promise<readonly Row[]>;

export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** One connection that only reads, and sees what others commit. */
export async function connectSql(address: DatabaseAddress): Promise<{ sql: RunSql; close(): Promise<void> }> {
  const connection: Connection = await createConnection({
    ...address,
    timezone: 'Z',
    charset: 'utf8mb4',
    connectTimeout: 5_000,
  });
  // Pages of an audit may be far apart: it waits for Kafka in between.
  await connection.query(pinSession({ idleSeconds: 8 * 3_600 }));
  return {
    async sql<Row>(sql: string, values: readonly unknown[] = []) {
      const [rows] = await connection.query(sql, [...values]);
      return rows as unknown as readonly Row[];
    },
    close: () => connection.end(),
  };
}

/** The condition that keeps a column within a range of ids. */
export function rangeOf(column: string, { after, upTo }: IdRange): { where: string; values: readonly string[] } {
  return upTo === undefined
    ? { where: `${column} > ?`, values: [after] }
    : { where: `${column} > ? AND ${column} <= ?`, values: [after, upTo] };
}
