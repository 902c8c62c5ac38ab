import { setTimeout as delay } from 'node:timers/promises';
import { ReadOnlyError, type Database } from '@board/database-kit';
import type { Alarms } from '@board/service-kit';

const lookEveryMs = 1_000;

/**
 * Asks every second whether the database takes writes, without writing, and raises an alarm while it does not; the returned
 * function ends that. Asking also finds the new server behind the address before a client's command has to.
 */
export function watchWrites(database: Pick<Database, 'assertTakesWrites'>, alarms: Alarms): () => Promise<void> {
  const stop = new AbortController();
  async function watch(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await database.assertTakesWrites();
        alarms.clear('database');
      } catch (error) {
        // A server that does not answer at all may be either: readiness says so, and the alarm stays as it is.
        if (error instanceof ReadOnlyError) alarms.raise('database', error.message);
      }
      await delay(lookEveryMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  }
  const watching = watch();
  return async () => {
    stop.abort();
    await watching;
  };
}
