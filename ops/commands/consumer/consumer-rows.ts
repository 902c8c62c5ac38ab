/** What may be done in the transaction of a baseline or rebuild. */
export interface ConsumerTransaction {
  query(sql: string, values?: unknown[]): Promise<unknown>;
}

/** A row of a baseline, as one line of its file says it. */
export interface SeedRow {
  readonly aggregateId: string;
  readonly version: number;
  readonly eventId: string;
  readonly data: unknown;
}

const rowsPerStatement = 10_000;

/**
 * Empties a consumer's tables, in steps: no statement of a large one runs into the limit that
 * connections set.
 */
export async function deleteRows(
  tx: ConsumerTransaction,
  tables: readonly string[],
): Promise<void> {
  for (const table of tables) {
    for (;;) {
      const { affectedRows } = (await tx.query(`DELETE FROM ${table} LIMIT ?`, [
        rowsPerStatement,
      ])) as {
        affectedRows: number;
      };
      if (affectedRows < rowsPerStatement) break;
    }
  }
}
