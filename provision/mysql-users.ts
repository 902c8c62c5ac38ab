import { aggregates, consumers } from '@board/contracts';
import { openConnection, pinSession, type DriverConnection } from '@board/mysql';
import { must } from '@board/service';

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

/** The part of a GRANT before `TO`, and the account that gets it. */
interface Grant {
  readonly user: string;
  readonly grant: string;
}

/**
 * Only what is right for every table of a database, today's and tomorrow's; the rest is in
 * `tableGrants`.
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

const place = 'consumer, aggregatetype, aggregateid, version, event_id';

/**
 * A service can add to its outbox but never change it; only the purge and the operator take rows
 * away.
 */
const tableGrants: readonly Grant[] = [
  ...aggregates.map(({ database, table }) => ({
    user: database,
    grant: `INSERT, UPDATE ON ${database}.${table}`,
  })),
  ...[...new Set(aggregates.map(({ database }) => database))].flatMap((database) =>
    ['outbox', 'idempotency_key', 'event_schema'].flatMap((table) => [
      { user: database, grant: `INSERT ON ${database}.${table}` },
      { user: 'purge', grant: `SELECT, DELETE ON ${database}.${table}` },
    ]),
  ),
  ...consumers.flatMap(({ database }) => [
    // A clean audit clears what it has looked for in vain.
    { user: 'audit', grant: `UPDATE (cleared_at) ON ${database}.missing_range` },
    // What shows that an event has reached its consumer, and so the topic; no content of any.
    { user: 'purge', grant: `SELECT (${place}) ON ${database}.mark` },
    { user: 'purge', grant: `SELECT (${place}) ON ${database}.parked` },
    { user: 'purge', grant: `SELECT (consumer, letter) ON ${database}.dead_letter` },
  ]),
];

/**
 * Grants on single tables; call it after the migrations, as MySQL grants nothing on a table that is
 * not there yet.
 */
export async function grantTables(admin: MysqlAdmin, userHost = loopbackHost): Promise<void> {
  await asMysqlAdmin(admin, async (connection) => {
    for (const { user, grant } of tableGrants) {
      try {
        await connection.query(`GRANT ${grant} TO ?@?`, [user, userHost]);
      } catch (cause) {
        throw new Error(
          `cannot grant ${grant} to ${user}; have the users been created and the migrations run?`,
          {
            cause,
          },
        );
      }
    }
  });
}

/** An account that may create databases, users and grants. */
export interface MysqlAdmin {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** Runs `work` on one connection of the administrator and closes it in every case. */
async function asMysqlAdmin(
  admin: MysqlAdmin,
  work: (connection: DriverConnection) => Promise<void>,
): Promise<void> {
  const { host, port, user, password } = admin;
  const connection = await openConnection({
    host,
    port,
    user,
    password,
    charset: 'utf8mb4',
    connectTimeout: 10_000,
  }).catch((error: unknown) => {
    throw isAccessDenied(error) ? new Error(explainRefusal(admin), { cause: error }) : error;
  });
  try {
    await connection.query(pinSession());
    await work(connection);
  } finally {
    await connection.end();
  }
}

function isAccessDenied(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ER_ACCESS_DENIED_ERROR';
}

/** A data folder keeps the password that it was made with. */
function explainRefusal({ host, port, user }: MysqlAdmin): string {
  return (
    `Access denied: MySQL at ${host}:${port} refuses the password of ${user}, so its data was made with another one. ` +
    'Bring that password back, or delete the data ("docker compose down -v" for containers).'
  );
}
