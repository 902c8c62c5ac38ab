import { setTimeout as delay } from 'node:timers/promises';
import { defaultPace, type PurgePace, type PurgeSession } from './purge-session.ts';

/** What clients are promised: within this time a repeated request gets its first answer. */
const keyLifeHours = 24;

export interface KeyPurge {
  readonly session: PurgeSession;
  /** Stops after the chunk that is under way. */
  readonly signal: AbortSignal;
  readonly pace?: PurgePace;
}

/** Deletes idempotency keys that are older than promised, and says how many; safe to call twice, at once too. */
export async function purgeKeys({ session, signal, pace = defaultPace }: KeyPurge): Promise<number> {
  const { chunkRows, pauseMs } = pace;
  for (let deleted = 0; ; await delay(pauseMs)) {
    const chunk = await session.change(
      `DELETE FROM idempotency_key WHERE created_at < UTC_TIMESTAMP(3) - INTERVAL ${keyLifeHours} HOUR ORDER BY created_at LIMIT ?`,
      [chunkRows],
    );
    deleted += chunk;
    if (chunk < chunkRows || signal.aborted) return deleted;
  }
}
