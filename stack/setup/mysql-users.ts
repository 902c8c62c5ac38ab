import { asMysqlAdmin, type MysqlAdmin } from './mysql-admin.ts';

export type { MysqlAdmin } from './mysql-admin.ts';

const mysqlUsers = ['order_service', 'catalog_service', 'cdc', 'migrations', 'registry', 'purge', 'audit'] as const;

export type MysqlUser = (typeof mysqlUsers)[number];

export type UserPasswords = Readonly<Record<MysqlUser, string>>;

/** Where users connect from; without name resolution the server sees the bare address. */
export const loopbackHost = '127.0.0.1';

const databases = ['order_service', 'catalog_service', 'registry'] as const;

const schemaChanges = 'SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES';

/** Only what is right for every table of a database, today's and tomorrow's; the rest is `mysql-grants.ts`. */
const databaseGrants: readonly { readonly user: MysqlUser; readonly grant: string }[] = [
  { user: 'order_service', grant: 'SELECT ON order_service.*' },
  { user: 'catalog_service', grant: 'SELECT, INSERT, UPDATE, DELETE ON catalog_service.*' },
  { user: 'migrations', grant: `${schemaChanges} ON order_service.*` },
  { user: 'migrations', grant: `${schemaChanges} ON catalog_service.*` },
  { user: 'registry', grant: 'ALL ON registry.*' },
  { user: 'audit', grant: 'SELECT ON order_service.*' },
  { user: 'audit', grant: 'SELECT ON catalog_service.*' },
  // The fence: an empty transaction whose GTID shows how far the connector has come. It touches no table.
  { user: 'audit', grant: 'FLUSH_OPTIMIZER_COSTS ON *.*' },
  { user: 'purge', grant: 'FLUSH_OPTIMIZER_COSTS ON *.*' },
  // RELOAD and LOCK TABLES are for the snapshot, the two others for the binlog; MySQL knows these only server-wide.
  { user: 'cdc', grant: 'SELECT, RELOAD, LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT ON *.*' },
];

interface Statement {
  readonly sql: string;
  readonly values: readonly string[];
}

/** What makes the users, in order; each statement may run any number of times, so setup may die after any of them. */
export function userStatements(passwords: UserPasswords, userHost = loopbackHost): readonly Statement[] {
  return [
    ...databases.map((database) => ({
      sql: `CREATE DATABASE IF NOT EXISTS ${database} CHARACTER SET utf8mb4`,
      values: [],
    })),
    ...mysqlUsers.flatMap((user) => [
      { sql: 'CREATE USER IF NOT EXISTS ?@? IDENTIFIED BY ?', values: [user, userHost, passwords[user]] },
      { sql: 'ALTER USER ?@? IDENTIFIED BY ?', values: [user, userHost, passwords[user]] },
    ]),
    ...databaseGrants.map(({ user, grant }) => ({ sql: `GRANT ${grant} TO ?@?`, values: [user, userHost] })),
  ];
}

/** Creates databases, users (with these passwords, old or new) and database-level grants; safe to call again. */
export async function createUsers(admin: MysqlAdmin, passwords: UserPasswords, userHost = loopbackHost): Promise<void> {
  await asMysqlAdmin(admin, async (connection) => {
    for (const { sql, values } of userStatements(passwords, userHost)) await connection.query(sql, [...values]);
  });
}
