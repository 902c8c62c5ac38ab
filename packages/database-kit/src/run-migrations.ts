import { DataSource, type MigrationInterface } from 'typeorm';
import { connectionOptions, type Connection } from './connection-options.ts';

const lockWaitSeconds = 60;

/** The connection that holds the lock is idle meanwhile. A table that is in use is not waited for longer than its readers can wait behind us. */
const waits = { lockWaitSeconds, tableWaitSeconds: 10, idleSeconds: 8 * 3_600 };

/** Runs what is missing and returns its names; two that run at once wait for each other. */
export async function runMigrations(
  connection: Connection,
  migrations: readonly (new () => MigrationInterface)[],
): Promise<string[]> {
  const dataSource = new DataSource({
    ...connectionOptions(connection, waits),
    // Changing a large table takes its time.
    enableQueryTimeout: false,
    migrations: [...migrations],
  });
  await dataSource.initialize();
  const runner = dataSource.createQueryRunner();
  const lock = `migrate:${connection.name}`.slice(0, 64);
  try {
    const [got]: { locked: string | number | null }[] = await runner.query('SELECT GET_LOCK(?, ?) AS locked', [
      lock,
      lockWaitSeconds,
    ]);
    if (Number(got?.locked) !== 1) throw new Error(`Another migration has held the lock for ${lockWaitSeconds} s.`);
    const ran = await dataSource.runMigrations({ transaction: 'none' });
    return ran.map((migration) => migration.name);
  } finally {
    // Closing the connection also releases the lock.
    await runner.release();
    await dataSource.destroy();
  }
}
