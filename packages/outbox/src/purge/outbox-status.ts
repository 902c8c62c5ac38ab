import type { PurgeSession } from './purge-session.ts';

export interface OutboxStatus {
  readonly rows: number;
  /** Of the row that lies first; rows lie nearly in the order of their time. */
  readonly oldestAt: Date | null;
  /** On the disk, indexes and free room included. */
  readonly bytes: number;
  readonly keys: number;
  readonly oldestKeyAt: Date | null;
}

/** How much the outbox and the idempotency keys hold. */
export async function outboxStatus({ query }: Pick<PurgeSession, 'query'>): Promise<OutboxStatus> {
  // Else the sizes may be a day old.
  await query('SET SESSION information_schema_stats_expiry = 0');
  // The narrow index: a count over the table itself would read every payload.
  const [outbox] = await query<{ count: number; oldest: Date | null; bytes: number | string }>(
    `SELECT (SELECT COUNT(*) FROM outbox FORCE INDEX (outbox_id)) AS count,
       (SELECT occurred_at FROM outbox ORDER BY seq LIMIT 1) AS oldest,
       (SELECT SUM(DATA_LENGTH + INDEX_LENGTH + DATA_FREE) FROM information_schema.TABLES
          WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ('outbox', 'idempotency_key')) AS bytes`,
  );
  const [keys] = await query<{ count: number; oldest: Date | null }>(
    'SELECT COUNT(*) AS count, MIN(created_at) AS oldest FROM idempotency_key',
  );
  return {
    rows: outbox?.count ?? 0,
    oldestAt: outbox?.oldest ?? null,
    bytes: Number(outbox?.bytes ?? 0),
    keys: keys?.count ?? 0,
    oldestKeyAt: keys?.oldest ?? null,
  };
}
