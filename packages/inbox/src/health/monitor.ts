import type { ReadinessState } from '@board/service';
import { repeat } from '../clock.ts';
import type { Inbox } from '../inbox.ts';
import type { DeadLetterReason } from '../record.ts';
import {
  firstPlace,
  type DeadLetterPlace,
  type OpenMissing,
  type ParkedSize,
} from '../store/store.ts';

/**
 * Open dead letters are checked a few thousand at a time: with a hundred thousand, one that can be
 * closed is found within a minute or two.
 */
const pagesPerCheck = 5;

/** Of the monitor itself, while it cannot read what it checks. */
const alarm = 'health monitor';

export interface HealthMonitor {
  /** More is parked than the settings allow: nothing new may be taken until a repair makes room. */
  isParkingFull(): boolean;
  stop(): Promise<void>;
}

/**
 * Checks every few seconds what only an operator can end, and raises and clears its alarms; apart
 * from the sweep, which may take long.
 */
export function startHealthMonitor(inbox: Inbox, readiness: ReadinessState): HealthMonitor {
  const { store, breaker, settings, alarms, logger } = inbox;
  let isFull = false;
  let after = firstPlace;

  async function check(): Promise<void> {
    await breaker.refresh();
    const from = after;
    const { parked, openDeadLetters, missing, next } = await store.transaction(async (tx) => {
      let place: DeadLetterPlace | undefined = from;
      for (let pages = 0; place !== undefined && pages < pagesPerCheck; pages += 1)
        place = await tx.deadLetters.closePage(place);
      return {
        parked: await tx.parked.size(),
        openDeadLetters: await tx.deadLetters.countOpen(),
        missing: await tx.positions.openMissing(),
        next: place,
      };
    });
    after = next ?? firstPlace;
    isFull = parked.rows >= settings.maxParkedRows || parked.bytes >= settings.maxParkedBytes;
    if (isFull) readiness.notReady('parking is full');
    else readiness.ready();
    raiseAlarms(inbox, { parked, isFull, openDeadLetters, missing });
  }

  const stop = repeat(inbox.clock, settings.sweepEveryMs, async () => {
    try {
      await check();
      alarms.clear(alarm);
    } catch (error) {
      alarms.raise(
        alarm,
        `dead letters and parked events cannot be counted: ${store.describeFault(error)}`,
      );
      logger.warn({ event: 'inbox.monitor-failed', err: error });
    }
  });
  return { isParkingFull: () => isFull, stop };
}

interface Findings {
  readonly parked: ParkedSize;
  /** No more may be parked. */
  readonly isFull: boolean;
  readonly openDeadLetters: ReadonlyMap<DeadLetterReason, number>;
  readonly missing: OpenMissing;
}

/**
 * Metrics and alarms of what only an operator can end: open dead letters, events parked too long,
 * parking that is full.
 */
function raiseAlarms(
  { alarms, metrics, settings, consumerFlag }: Inbox,
  { parked, isFull, openDeadLetters, missing }: Findings,
): void {
  metrics.parkedNow(parked.rows, parked.bytes, parked.oldestAgeMs);
  metrics.openDeadLetters(openDeadLetters);
  const set = (key: string, on: boolean, reason: () => string): void =>
    on ? alarms.raise(key, reason()) : alarms.clear(key);

  set('dead letters', openDeadLetters.size > 0, () => {
    const counts = [...openDeadLetters].map(([reason, count]) => `${count} ${reason}`);
    return `open dead letters: ${counts.join(', ')}; "npm run dlq -- list${consumerFlag}" shows them`;
  });
  set('records missing', missing.count > 0, () => {
    const more =
      missing.count > missing.reasons.length
        ? ` and ${missing.count - missing.reasons.length} more`
        : '';
    return `${missing.reasons.join('; ')}${more}; "npm run audit" says what is lost, and a clean one clears this`;
  });
  set('parked long', parked.oldestAgeMs > settings.parkedAlarmAgeMs, () => {
    const seconds = Math.round(parked.oldestAgeMs / 1_000);
    return `${parked.rows === 1 ? '1 event is' : `${parked.rows} events are`} parked, the oldest for ${seconds} s; "npm run inbox -- status${consumerFlag}" shows them`;
  });
  set(
    'parking full',
    isFull,
    () =>
      `${parked.rows} events (${parked.bytes} bytes) are parked: consumption pauses until dead letters are replayed or skipped`,
  );
}
