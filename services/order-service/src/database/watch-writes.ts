import { setTimeout as delay } from 'node:timers/promises';
import { ReadOnlyError, type Database } from '@board/mysql';
import type { Alarms, OutageAlarm } from '@board/service';

const checkEveryMs = 1_000;

/**
 * Asks every second, without writing, whether the database takes writes, and raises an alarm while
 * it does not, or when it has not answered for long; the returned function ends the checks. After a
 * switch-over a check finds the new server before a client's command does.
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
          // A server that does not answer may take writes or not: the alarm stays as it is.
          outage.failed(error);
        }
      }
      await delay(checkEveryMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  }
  const watching = watch();
  return async () => {
    stop.abort();
    await watching;
    outage.stop();
  };
}
