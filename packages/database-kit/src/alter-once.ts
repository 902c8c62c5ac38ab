import type { QueryRunner } from 'typeorm';

/**
 * Adds an index unless it is there: MySQL knows no IF NOT EXISTS for it, and a migration whose connection died right after the
 * statement runs again. Writers go on meanwhile; a server that cannot promise that refuses.
 */
export async function addIndex(runner: QueryRunner, table: string, name: string, columns: string): Promise<void> {
  const found: readonly unknown[] = await runner.query(
    'SELECT 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND INDEX_NAME = ? LIMIT 1',
    [table, name],
  );
  if (found.length === 0)
    await runner.query(`ALTER TABLE ${table} ADD INDEX ${name} ${columns}, ALGORITHM = INPLACE, LOCK = NONE`);
}

/** Adds a column unless it is there; `definition` is what follows its name. */
export async function addColumn(runner: QueryRunner, table: string, name: string, definition: string): Promise<void> {
  const found: readonly unknown[] = await runner.query(
    'SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND COLUMN_NAME = ?',
    [table, name],
  );
  if (found.length === 0) await runner.query(`ALTER TABLE ${table} ADD COLUMN ${name} ${definition}`);
}
