import assert from 'node:assert/strict';
import type { Database } from '@board/mysql';
import type { EntityManager } from 'typeorm';
import type { IdempotencyKey, KeyOutcome } from './command.ts';

/*
 * Idempotency keys: a request that a client repeats with its key is done once, and each repeat gets
 * the first answer.
 *
 * The key is inserted in the transaction of its change, so it is there exactly when the change is.
 * While that transaction runs, the key is "running": this instance knows its own from the queue,
 * those of other instances show in a dirty read.
 */

/**
 * Idempotency keys and the answers that repeats get.
 *
 * Clients choose keys at random: as a primary key they would spread the stored answers over every
 * page of the table, so rows lie in the order of arrival and only the narrow hash is random.
 */
export const createIdempotencyTable = `
    CREATE TABLE IF NOT EXISTS idempotency_key (
      seq         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
      key_hash    BINARY(32)  NOT NULL,
      fingerprint BINARY(32)  NOT NULL,
      answer      MEDIUMBLOB  NOT NULL,
      created_at  DATETIME(3) NOT NULL,
      UNIQUE KEY idempotency_key_hash (key_hash),
      KEY idempotency_key_created (created_at)
    ) ENGINE = InnoDB`;

/** A key with the answer that its repeats get. */
export interface StoredKey extends IdempotencyKey {
  /**
   * Kept byte for byte: a repeat gets it also from a later version that would word it differently.
   */
  readonly answer: Buffer;
}

interface Row {
  readonly key_hash: Buffer;
  readonly fingerprint: Buffer;
  readonly answer: Buffer;
}

/**
 * The server's clock, by which keys are also purged: one that is a day slow would let a repeat be
 * done again.
 */
const now = { toSqlString: () => 'UTC_TIMESTAMP(3)' };

/**
 * Inserts the keys in the order of their hashes, so that two transactions with the same keys cannot
 * deadlock.
 */
export async function insertKeys(
  manager: EntityManager,
  keys: readonly StoredKey[],
): Promise<void> {
  if (keys.length === 0) return;
  const rows = keys
    .toSorted((one, other) => Buffer.compare(one.hash, other.hash))
    .map(({ hash, fingerprint, answer }) => [hash, fingerprint, answer, now]);
  await manager.query(
    'INSERT INTO idempotency_key (key_hash, fingerprint, answer, created_at) VALUES ?',
    [rows],
  );
}

/**
 * The outcome of each key that is known, by the hex of its hash; one that another transaction
 * inserts just now is running.
 */
export async function readKeys(
  database: Database,
  keys: readonly IdempotencyKey[],
): Promise<ReadonlyMap<string, KeyOutcome>> {
  const hashes = keys.map(({ hash }) => hash);
  const select = 'SELECT key_hash, fingerprint, answer FROM idempotency_key WHERE key_hash IN (?)';
  return await database.read(async (manager) => {
    // READ UNCOMMITTED, for this one statement: it shows a key whose transaction runs, without
    // waiting for it.
    await manager.query('SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED');
    const inserted: Row[] = await manager.query(select, [hashes]);
    if (inserted.length === 0) return new Map();
    const committed: Row[] = await manager.query(select, [hashes]);
    const answers = new Map(committed.map((row) => [row.key_hash.toString('hex'), row]));
    const fingerprints = new Map(
      keys.map(({ hash, fingerprint }) => [hash.toString('hex'), fingerprint]),
    );
    return new Map(
      inserted.map((row) => {
        const hash = row.key_hash.toString('hex');
        const fingerprint = fingerprints.get(hash);
        assert(fingerprint, `the key ${hash} was found, and not looked for`);
        return [hash, classifyKey(row, answers.get(hash), fingerprint)];
      }),
    );
  });
}

/**
 * Of two that were inserted one after the other, the committed one counts: the first may have been
 * rolled back.
 */
function classifyKey(inserted: Row, committed: Row | undefined, fingerprint: Buffer): KeyOutcome {
  if (!(committed ?? inserted).fingerprint.equals(fingerprint)) return { kind: 'key-reused' };
  return committed ? { kind: 'repeated', answer: committed.answer } : { kind: 'key-running' };
}
