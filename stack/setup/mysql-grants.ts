import { asMysqlAdmin, type MysqlAdmin } from './mysql-admin.ts';
import { loopbackHost, type MysqlUser } from './mysql-users.ts';

/** order-service can add to its outbox but never change it; only the purge and the operator take rows away. */
const tableGrants: readonly { readonly user: MysqlUser; readonly grant: string }[] = [
  { user: 'order_service', grant: 'INSERT, UPDATE ON order_service.board' },
  { user: 'order_service', grant: 'INSERT ON order_service.outbox' },
  { user: 'order_service', grant: 'INSERT ON order_service.idempotency_key' },
  { user: 'order_service', grant: 'INSERT ON order_service.event_schema' },
  // A clean audit clears what it has looked for in vain.
  { user: 'audit', grant: 'UPDATE (cleared_at) ON catalog_service.missing_range' },
  { user: 'purge', grant: 'SELECT, DELETE ON order_service.outbox' },
  { user: 'purge', grant: 'SELECT, DELETE ON order_service.idempotency_key' },
  { user: 'purge', grant: 'SELECT, DELETE ON order_service.event_schema' },
  // What shows that an event has reached its consumer, and so the topic; no content of any.
  {
    user: 'purge',
    grant: 'SELECT (consumer, aggregatetype, aggregateid, version, event_id) ON catalog_service.mark',
  },
  {
    user: 'purge',
    grant: 'SELECT (consumer, aggregatetype, aggregateid, version, event_id) ON catalog_service.parked',
  },
  { user: 'purge', grant: 'SELECT (consumer, letter) ON catalog_service.dead_letter' },
];

/** Grants on single tables; call it after the migrations, as MySQL grants nothing on a table that is not there yet. */
export async function grantTables(admin: MysqlAdmin, userHost = loopbackHost): Promise<void> {
  await asMysqlAdmin(admin, async (connection) => {
    for (const { user, grant } of tableGrants) {
      try {
        await connection.query(`GRANT ${grant} TO ?@?`, [user, userHost]);
      } catch (cause) {
        throw new Error(`cannot grant ${grant} to ${user}; have the users been created and the migrations run?`, {
          cause,
        });
      }
    }
  });
}
