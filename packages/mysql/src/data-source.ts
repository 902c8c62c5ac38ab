import { configFields } from '@board/service';
import * as mysql2 from 'mysql2';
import { DataSource, type EntitySchema, type Logger, type MigrationInterface } from 'typeorm';
import type { MysqlDataSourceOptions } from 'typeorm/driver/mysql/MysqlDataSourceOptions.js';
import { z } from 'zod';
import type { Connection } from './open-session.ts';
import { pinSession, type SessionWaits } from './session-settings.ts';

/** The environment variables that say where a service's schema is. */
export const databaseFields = {
  DATABASE_HOST: configFields.host(),
  DATABASE_PORT: configFields.port(),
  DATABASE_NAME: configFields.text(),
  DATABASE_USER: configFields.text(),
  DATABASE_PASSWORD: configFields.secret(),
};

const schema = z.object(databaseFields);

export function databaseConnection(config: z.output<typeof schema>): Connection {
  return {
    host: config.DATABASE_HOST,
    port: config.DATABASE_PORT,
    name: config.DATABASE_NAME,
    user: config.DATABASE_USER,
    password: config.DATABASE_PASSWORD,
  };
}

export interface DataSourceOptions {
  readonly entities?: readonly EntitySchema[];
  readonly migrations?: readonly (new () => MigrationInterface)[];
  readonly poolSize?: number;
  readonly waits?: SessionWaits;
  /** Statements may take as long as they like. */
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
    // A link that died without a word would hold its statement without end.
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
 * TypeORM prints slow statements with their parameters, whatever `logging` says; parameters are
 * other people's texts.
 */
const silentLogger: Logger = {
  logQuery: nothing,
  logQueryError: nothing,
  logQuerySlow: nothing,
  logSchemaBuild: nothing,
  logMigration: nothing,
  log: nothing,
};
