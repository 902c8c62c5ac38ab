import { aggregates, consumers } from '@board/contracts';
import { must } from '@board/service';
import { asMysqlAdmin, type MysqlAdmin } from './mysql-admin.ts';

export type { MysqlAdmin } from './mysql-admin.ts';

/**
 * One database for each service that owns aggregates or consumes them; its user there has the same
 * name.
 */
export const serviceDatabases: readonly string[] = [
  ...new Set([
    ...aggregates.map(({ database }) => database),
    ...consumers.map(({ database }) => database),
  ]),
];

/** Accounts beside those of the services. */
const otherUsers = ['cdc', 'migrations', 'registry', 'purge', 'audit'] as const;

/** Every account; each has a password of its own. */
export const mysqlUsers: readonly string[] = [...serviceDatabases, ...otherUsers];

/** A password for each account. */
export type UserPasswords = Readonly<
  Record<(typeof otherUsers)[number], string> & Record<string, string>
>;

/** Where users connect from; without name resolution the server sees the bare address. */
export const loopbackHost = '127.0.0.1';

const schemaChanges = 'SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES';

export interface Grant {
  readonly user: string;
  readonly grant: string;
}

/**
 * Only what is right for every table of a database, today's and tomorrow's; the rest is
 * `mysql-grants.ts`.
 */
const databaseGrants: readonly Grant[] = [
  ...aggregates.map(({ database }) => ({ user: database, grant: `SELECT ON ${database}.*` })),
  ...consumers.map(({ database }) => ({
    user: database,
    grant: `SELECT, INSERT, UPDATE, DELETE ON ${database}.*`,
  })),
  ...serviceDatabases.flatMap((database) => [
    { user: 'migrations', grant: `${schemaChanges} ON ${database}.*` },
    { user: 'audit', grant: `SELECT ON ${database}.*` },
  ]),
  { user: 'registry', grant: 'ALL ON registry.*' },
  // The fence: an empty transaction whose GTID shows how far the connector has come. It touches no
  // table.
  { user: 'audit', grant: 'FLUSH_OPTIMIZER_COSTS ON *.*' },
  { user: 'purge', grant: 'FLUSH_OPTIMIZER_COSTS ON *.*' },
  // RELOAD and LOCK TABLES are for the snapshot, the two others for the binlog; MySQL knows these
  // only server-wide.
  {
    user: 'cdc',
    grant: 'SELECT, RELOAD, LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT ON *.*',
  },
];

interface Statement {
  readonly sql: string;
  readonly values: readonly string[];
}

/**
 * What makes the users, in order; each statement may run any number of times, so provisioning may
 * die after any of them.
 */
export function userStatements(
  passwords: UserPasswords,
  userHost = loopbackHost,
): readonly Statement[] {
  return [
    ...[...serviceDatabases, 'registry'].map((database) => ({
      sql: `CREATE DATABASE IF NOT EXISTS ${database} CHARACTER SET utf8mb4`,
      values: [],
    })),
    ...mysqlUsers.flatMap((user) => {
      const password = must(passwords[user], `a password of ${user}`);
      return [
        {
          sql: 'CREATE USER IF NOT EXISTS ?@? IDENTIFIED BY ?',
          values: [user, userHost, password],
        },
        { sql: 'ALTER USER ?@? IDENTIFIED BY ?', values: [user, userHost, password] },
      ];
    }),
    ...databaseGrants.map(({ user, grant }) => ({
      sql: `GRANT ${grant} TO ?@?`,
      values: [user, userHost],
    })),
  ];
}

/**
 * Creates databases, users (with these passwords, old or new) and database-level grants; safe to
 * call again.
 */
export async function createUsers(
  admin: MysqlAdmin,
  passwords: UserPasswords,
  userHost = loopbackHost,
): Promise<void> {
  await asMysqlAdmin(admin, async (connection) => {
    for (const { sql, values } of userStatements(passwords, userHost))
      await connection.query(sql, [...values]);
  });
}
