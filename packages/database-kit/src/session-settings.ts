/**
 * Takes the seconds that a lock is waited for: shorter than any handler's deadline, so that it is known as what it is.
 * READ COMMITTED, because under REPEATABLE READ two new keys deadlock on gap locks. An open transaction whose owner has
 * frozen is rolled back by the server within half a minute, not after eight hours.
 */
export const sessionSettings =
  "SET SESSION transaction_isolation = 'READ-COMMITTED', innodb_lock_wait_timeout = ?, wait_timeout = 30";
