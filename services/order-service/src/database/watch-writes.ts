import { setTimeout as delay } from 'node:timers/promises';
import { ReadOnlyError, type Database } from '@board/mysql';
import type { Alarms, OutageAlarm } from '@board/service';

const lookEveryMs = 1_000;

/**
 * Asks every second whether the database takes writes, without writing, and raises an alarm while
 * it does not, or when it has not answered for long; the returned function ends that. Asking also
 * finds the new server behind the address before a client's command has to.
 */
export function watchWrites(
  database: Pick<Database, 'assertTakesWrites'>,
  alarms: Alarms,
  outage: OutageAlarm,
): () => Promise<void> {
  const stop = new AbortController();
  async function watch(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await database.assertTakesWrites();
        outage.answered();
        alarms.clear('database');
      } catch (error) {
        if (error instanceof ReadOnlyError) {
          outage.answered();
          alarms.raise('database', error.message);
        } else {
          // A server that does not answer may be either: what is known of its writes stays.
          outage.failed(error);
        }
      }
      await delay(lookEveryMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  }
  const watching = watch();
  return async () => {
    stop.abort();
    await watching;
    outage.stop();
  };
}
