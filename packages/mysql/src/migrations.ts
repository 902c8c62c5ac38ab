import { configFields, runTask } from '@board/service';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { z } from 'zod';
import { createDataSource, databaseConnection, databaseFields } from './data-source.ts';
import type { Connection } from './open-session.ts';

const lockWaitSeconds = 60;

/**
 * The connection that holds the lock is idle meanwhile. A table that is in use is not waited for
 * longer than its readers can wait behind us.
 */
const waits = { lockWaitSeconds, tableWaitSeconds: 10, idleSeconds: 8 * 3_600 };

/** Runs what is missing and returns its names; two that run at once wait for each other. */
export async function runMigrations(
  connection: Connection,
  migrations: readonly (new () => MigrationInterface)[],
): Promise<string[]> {
  // Changing a large table takes its time.
  const dataSource = createDataSource(connection, {
    migrations,
    waits,
    withoutStatementTimeout: true,
  });
  await dataSource.initialize();
  const runner = dataSource.createQueryRunner();
  const lock = `migrate:${connection.name}`.slice(0, 64);
  try {
    const [got]: { locked: string | number | null }[] = await runner.query(
      'SELECT GET_LOCK(?, ?) AS locked',
      [lock, lockWaitSeconds],
    );
    if (Number(got?.locked) !== 1)
      throw new Error(`Another migration has held the lock for ${lockWaitSeconds} s.`);
    const ran = await dataSource.runMigrations({ transaction: 'none' });
    return ran.map((migration) => migration.name);
  } finally {
    // Closing the connection also releases the lock.
    await runner.release();
    await dataSource.destroy();
  }
}

/** The whole program that migrates a service's database, and exits: 0, or 1 when it failed. */
export async function migrateService(
  service: string,
  migrations: readonly (new () => MigrationInterface)[],
): Promise<void> {
  const environment = z.object({
    ...configFields.process(`${service}-migrate`),
    ...databaseFields,
  });
  await runTask(environment, async ({ config, logger }) => {
    logger.info({
      event: 'migrations.ran',
      migrations: await runMigrations(databaseConnection(config), migrations),
    });
  });
}

// MySQL knows no IF (NOT) EXISTS for these, and a migration whose connection died right after one
// of them runs again. Writers go on while an index is built: a server that cannot promise that
// refuses the statement.

/** Adds an index unless it is there. */
export async function addIndex(
  runner: QueryRunner,
  table: string,
  name: string,
  columns: string,
): Promise<void> {
  if (!(await hasIndex(runner, table, name)))
    await runner.query(
      `ALTER TABLE ${table} ADD INDEX ${name} ${columns}, ALGORITHM = INPLACE, LOCK = NONE`,
    );
}

/** Drops an index if it is there. */
export async function dropIndex(runner: QueryRunner, table: string, name: string): Promise<void> {
  if (await hasIndex(runner, table, name))
    await runner.query(`ALTER TABLE ${table} DROP INDEX ${name}`);
}

/** Adds a column unless it is there; `definition` is what follows its name. */
export async function addColumn(
  runner: QueryRunner,
  table: string,
  name: string,
  definition: string,
): Promise<void> {
  const found: readonly unknown[] = await runner.query(
    'SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND COLUMN_NAME = ?',
    [table, name],
  );
  if (found.length === 0)
    await runner.query(`ALTER TABLE ${table} ADD COLUMN ${name} ${definition}`);
}

async function hasIndex(runner: QueryRunner, table: string, name: string): Promise<boolean> {
  const found: readonly unknown[] = await runner.query(
    'SELECT 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND INDEX_NAME = ? LIMIT 1',
    [table, name],
  );
  return found.length > 0;
}
