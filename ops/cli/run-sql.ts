import { openSession } from '@board/mysql';
import type { IdRange } from '@board/inbox';

/** Runs one statement and returns its rows. */
export type RunSql = <Row>(sql: string, values?: readonly unknown[]) => Promise<readonly Row[]>;

export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** The limit of one statement; a read in chunks may take longer as a whole. */
const statementTimeoutMs = 60_000;

/** Opens a connection of its own; each statement sees what other sessions have committed. */
export async function connectSql(
  address: DatabaseAddress,
): Promise<{ sql: RunSql; close(): Promise<void> }> {
  const where = `MySQL at ${address.host}:${address.port}`;
  // Pages of an audit may be far apart: it waits for Kafka in between.
  const waits = { idleSeconds: 8 * 3_600 };
  const session = await openSession(address, {
    statementTimeoutMs,
    connectTimeoutMs: 5_000,
    waits,
  }).catch((cause: unknown) => {
    throw new Error(`${where} cannot be used ("npm run stack -- status" shows a local one)`, {
      cause,
    });
  });

  async function sql<Row>(
    statement: string,
    values: readonly unknown[] = [],
  ): Promise<readonly Row[]> {
    try {
      return await session.query<Row>(statement, values);
    } catch (cause) {
      if (
        !(cause instanceof Error) ||
        !('code' in cause) ||
        cause.code !== 'PROTOCOL_SEQUENCE_TIMEOUT'
      )
        throw cause;
      throw new Error(
        `${where} did not answer a statement within ${statementTimeoutMs / 1_000} s`,
        { cause },
      );
    }
  }

  return { sql, close: () => session.close() };
}

/** The SQL condition that a column is in a range of ids, and its values. */
export function rangeOf(
  column: string,
  { after, upTo }: IdRange,
): { where: string; values: readonly string[] } {
  return upTo === undefined
    ? { where: `${column} > ?`, values: [after] }
    : { where: `${column} > ? AND ${column} <= ?`, values: [after, upTo] };
}
