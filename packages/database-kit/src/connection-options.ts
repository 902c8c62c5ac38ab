import type { MysqlDataSourceOptions } from 'typeorm/driver/mysql/MysqlDataSourceOptions.js';
import { pinnedDriver } from './pinned-driver.ts';
import type { SessionWaits } from './session-settings.ts';
import { silentLogger } from './silent-logger.ts';

export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
  readonly password: string;
}

/** How this pipeline talks to MySQL: pinned sessions, times in UTC, every code point, numbers that keep their digits, bounded waits. */
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
    // A link that died without a word would hold its statement for ever.
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
