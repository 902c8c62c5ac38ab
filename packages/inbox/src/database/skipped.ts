import type { EntityManager } from 'typeorm';
import type { Identity } from '../decide/identity.ts';
import type { Consumer } from '../consumer.ts';

export interface Skip {
  readonly identity: Identity;
  readonly decidedBy: 'policy' | 'hand';
  readonly reason: string;
}

/** Remembers that a version was passed over without its effect; a repeated skip keeps its first row. */
export async function recordSkips(
  tx: EntityManager,
  consumer: Consumer,
  skips: readonly Skip[],
  nowMs: number,
): Promise<void> {
  if (skips.length === 0) return;
  await tx.query(
    `INSERT INTO skipped (consumer, aggregatetype, aggregateid, version, event_id, decided_by, reason, skipped_at) VALUES ?
     ON DUPLICATE KEY UPDATE version = skipped.version`,
    [
      skips.map(({ identity, decidedBy, reason }) => [
        consumer.group,
        consumer.aggregateType,
        identity.aggregateId,
        identity.version,
        identity.eventId,
        decidedBy,
        reason.slice(0, 500),
        nowMs,
      ]),
    ],
  );
}

/** Which of these events the policy passed over, so that a replay may still apply them (a skip by hand is final); only under the locks of their marks is the answer still true when it is used. */
export async function findReopened(
  tx: EntityManager,
  consumer: Consumer,
  identities: readonly Identity[],
): Promise<Set<string>> {
  if (identities.length === 0) return new Set();
  const rows: readonly { event_id: string }[] = await tx.query(
    `SELECT event_id FROM skipped WHERE consumer = ? AND aggregatetype = ? AND decided_by = 'policy'
       AND (aggregateid, version, event_id) IN (?)`,
    [consumer.group, consumer.aggregateType, identities.map((one) => [one.aggregateId, one.version, one.eventId])],
  );
  return new Set(rows.map((row) => row.event_id));
}

/** Event ids that were skipped but that no mark has passed: a rebuild took the marks away. Only a rebuild adds to them, while nothing runs. */
export async function findSkippedAhead(tx: EntityManager, consumer: Consumer): Promise<ReadonlySet<string>> {
  const rows: readonly { event_id: string }[] = await tx.query(
    `SELECT skipped.event_id FROM skipped LEFT JOIN mark USING (consumer, aggregatetype, aggregateid)
     WHERE skipped.consumer = ? AND skipped.aggregatetype = ? AND skipped.version > COALESCE(mark.version, 0)`,
    [consumer.group, consumer.aggregateType],
  );
  return new Set(rows.map((row) => row.event_id));
}

/** Forgets skips whose event was applied after all. */
export async function forgetSkips(
  tx: EntityManager,
  consumer: Consumer,
  identities: readonly Identity[],
): Promise<void> {
  if (identities.length === 0) return;
  await tx.query('DELETE FROM skipped WHERE consumer = ? AND aggregatetype = ? AND (aggregateid, version) IN (?)', [
    consumer.group,
    consumer.aggregateType,
    identities.map((one) => [one.aggregateId, one.version]),
  ]);
}
