import type { QueryRunner } from 'typeorm';

// MySQL knows no IF (NOT) EXISTS for these, and a migration whose connection died right after one of them runs again. Writers go
// on while an index is built: a server that cannot promise that refuses the statement.

/** Adds an index unless it is there. */
export async function addIndex(runner: QueryRunner, table: string, name: string, columns: string): Promise<void> {
  if (!(await hasIndex(runner, table, name)))
    await runner.query(`ALTER TABLE ${table} ADD INDEX ${name} ${columns}, ALGORITHM = INPLACE, LOCK = NONE`);
}

/** Drops an index if it is there. */
export async function dropIndex(runner: QueryRunner, table: string, name: string): Promise<void> {
  if (await hasIndex(runner, table, name)) await runner.query(`ALTER TABLE ${table} DROP INDEX ${name}`);
}

/** Adds a column unless it is there; `definition` is what follows its name. */
export async function addColumn(runner: QueryRunner, table: string, name: string, definition: string): Promise<void> {
  const found: readonly unknown[] = await runner.query(
    'SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND COLUMN_NAME = ?',
    [table, name],
  );
  if (found.length === 0) await runner.query(`ALTER TABLE ${table} ADD COLUMN ${name} ${definition}`);
}

async function hasIndex(runner: QueryRunner, table: string, name: string): Promise<boolean> {
  const found: readonly unknown[] = await runner.query(
    'SELECT 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND INDEX_NAME = ? LIMIT 1',
    [table, name],
  );
  return found.length > 0;
}
