import { aggregates, consumers } from '@board/contracts';
import { asMysqlAdmin, type MysqlAdmin } from './mysql-admin.ts';
import { loopbackHost, type Grant } from './mysql-users.ts';

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
