import type { Database } from '@board/database-kit';
import type { EntityManager } from 'typeorm';

/** What a client named its request, and what the request was: 32 bytes of SHA-256 each. */
export interface IdempotencyKey {
  readonly hash: Buffer;
  readonly fingerprint: Buffer;
}

export interface StoredKey extends IdempotencyKey {
  readonly answer: Buffer;
}

export type KeyOutcome =
  | { readonly kind: 'repeated'; readonly answer: Buffer }
  | { readonly kind: 'key-running' }
  | { readonly kind: 'key-reused' };

interface Row {
  readonly key_hash: Buffer;
  readonly fingerprint: Buffer;
  readonly answer: Buffer;
}

/** The server's clock, by which keys are also purged: one that is a day slow would let a repeat be done again. */
const now = { toSqlString: () => 'UTC_TIMESTAMP(3)' };

/** Inserts the keys in the order of their hashes, so that two transactions with the same keys cannot deadlock. */
export async function insertKeys(manager: EntityManager, keys: readonly StoredKey[]): Promise<void> {
  if (keys.length === 0) return;
  const rows = keys
    .toSorted((one, other) => Buffer.compare(one.hash, other.hash))
    .map(({ hash, fingerprint, answer }) => [hash, fingerprint, answer, now]);
  await manager.query('INSERT INTO idempotency_key (key_hash, fingerprint, answer, created_at) VALUES ?', [rows]);
}

/** The outcome of each key that is known, by the hex of its hash; one that another transaction inserts just now is running. */
export async function readKeys(
  database: Database,
  keys: readonly IdempotencyKey[],
): Promise<ReadonlyMap<string, KeyOutcome>> {
  const hashes = keys.map(({ hash }) => hash);
  const select = 'SELECT key_hash, fingerprint, answer FROM idempotency_key WHERE key_hash IN (?)';
  return await database.read(async (manager) => {
    // READ UNCOMMITTED, for this one statement: it shows a key whose transaction runs, without waiting for it.
    await manager.query('SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED');
    const inserted: Row[] = await manager.query(select, [hashes]);
    if (inserted.length === 0) return new Map();
    const committed: Row[] = await manager.query(select, [hashes]);
    const answers = new Map(committed.map((row) => [row.key_hash.toString('hex'), row]));
    const fingerprints = new Map(keys.map(({ hash, fingerprint }) => [hash.toString('hex'), fingerprint]));
    return new Map(
      inserted.map((row) => {
        const hash = row.key_hash.toString('hex');
        return [hash, judge(row, answers.get(hash), fingerprints.get(hash))];
      }),
    );
  });
}

function judge(inserted: Row, committed: Row | undefined, fingerprint: Buffer | undefined): KeyOutcome {
  if (!(committed ?? inserted).fingerprint.equals(fingerprint ?? Buffer.alloc(0))) return { kind: 'key-reused' };
  return committed ? { kind: 'repeated', answer: committed.answer } : { kind: 'key-running' };
}
