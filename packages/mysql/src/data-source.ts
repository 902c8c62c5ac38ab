import { configFields, runTask } from '@board/service';
import * as mysql2 from 'mysql2';
import {
  DataSource,
  type EntitySchema,
  type Logger,
  type MigrationInterface,
  type QueryRunner,
} from 'typeorm';
import type { MysqlDataSourceOptions } from 'typeorm/driver/mysql/MysqlDataSourceOptions.js';
import { z } from 'zod';
import type { Connection } from './open-session.ts';
import { pinSession, type SessionWaits } from './session-settings.ts';

/** The environment variables with the place of a service's schema. */
export const databaseFields = {
  DATABASE_HOST: configFields.host(),
  DATABASE_PORT: configFields.port(),
  DATABASE_NAME: configFields.text(),
  DATABASE_USER: configFields.text(),
  DATABASE_PASSWORD: configFields.secret(),
};

const schema = z.object(databaseFields);

/** The connection that `databaseFields` describe. */
export function databaseConnection(config: z.output<typeof schema>): Connection {
  return {
    host: config.DATABASE_HOST,
    port: config.DATABASE_PORT,
    name: config.DATABASE_NAME,
    user: config.DATABASE_USER,
    password: config.DATABASE_PASSWORD,
  };
}

/** Of a pool; by default 10 connections, no entities, no migrations. */
export interface DataSourceOptions {
  readonly entities?: readonly EntitySchema[];
  readonly migrations?: readonly (new () => MigrationInterface)[];
  readonly poolSize?: number;
  readonly waits?: SessionWaits;
  /** Statements have no time limit. */
  readonly withoutStatementTimeout?: boolean;
}

/**
 * TypeORM's pool over pinned sessions, not connected yet. Services take `createDatabase`, which
 * also has deadlines.
 */
export function createDataSource(
  connection: Connection,
  options: DataSourceOptions = {},
): DataSource {
  const {
    entities = [],
    migrations = [],
    poolSize = 10,
    waits,
    withoutStatementTimeout = false,
  } = options;
  return new DataSource({
    ...connectionOptions(connection, waits),
    entities: [...entities],
    migrations: [...migrations],
    poolSize,
    enableQueryTimeout: !withoutStatementTimeout,
  });
}

/**
 * How this pipeline talks to MySQL: pinned sessions, times in UTC, every code point, numbers that
 * keep their digits, bounded waits.
 */
export function connectionOptions(connection: Connection, waits: SessionWaits = {}) {
  return {
    type: 'mysql',
    driver: pinnedDriver(waits) as unknown,
    host: connection.host,
    port: connection.port,
    database: connection.name,
    username: connection.user,
    password: connection.password,
    timezone: 'Z',
    charset: 'utf8mb4',
    supportBigNumbers: true,
    bigNumberStrings: true,
    poolSize: 10,
    connectTimeout: 1_500,
    // A dead link would otherwise hold its statement without end.
    enableQueryTimeout: true,
    maxQueryExecutionTime: 30_000,
    // Without a limit the pool's queue grows for as long as the database is stuck.
    extra: { queueLimit: 1_000, enableKeepAlive: true },
    synchronize: false,
    migrationsRun: false,
    logging: false,
    logger: silentLogger,
  } as const satisfies MysqlDataSourceOptions;
}

/**
 * mysql2 for TypeORM, whose pools pin every connection they make. The SET is queued before the pool
 * hands the connection out, so no statement can come before it; pinning a connection where it is
 * used would miss the places that forget.
 */
function pinnedDriver(waits: SessionWaits): typeof mysql2 {
  const pin = pinSession(waits);
  return {
    ...mysql2,
    createPool(options: mysql2.PoolOptions) {
      const pool = mysql2.createPool(options);
      pool.on('connection', (connection: PinnedConnection) => {
        connection.query(pin, (error) => {
          // Not `destroy`: that one leaves what is queued behind the SET without an answer.
          if (error) connection.stream.destroy(error);
        });
      });
      return pool;
    },
  } as typeof mysql2;
}

interface PinnedConnection {
  query(sql: string, onAnswer: (error: Error | null) => void): void;
  readonly stream: { destroy(error: Error): void };
}

const nothing = (): void => undefined;

/**
 * TypeORM prints slow statements with their parameters, even without `logging`; parameters are
 * personal texts.
 */
const silentLogger: Logger = {
  logQuery: nothing,
  logQueryError: nothing,
  logQuerySlow: nothing,
  logSchemaBuild: nothing,
  logMigration: nothing,
  log: nothing,
};

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
  // Changing a large table takes long.
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
