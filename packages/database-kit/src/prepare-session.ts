import type { QueryRunner } from 'typeorm';

const prepared = new WeakSet<object>();

/**
 * Once per connection: READ COMMITTED, because under REPEATABLE READ two new keys deadlock on gap locks; a lock is waited for shorter than any handler's deadline, so that it is known as what it is; and an
 * open transaction whose owner has frozen is rolled back by the server within half a minute, not after eight hours.
 */
export async function prepareSession(runner: QueryRunner, lockWaitSeconds = 4): Promise<void> {
  const connection = (await runner.connect()) as object;
  if (prepared.has(connection)) return;
  await runner.query(
    "SET SESSION transaction_isolation = 'READ-COMMITTED', innodb_lock_wait_timeout = ?, wait_timeout = 30",
    [lockWaitSeconds],
  );
  prepared.add(connection);
}
