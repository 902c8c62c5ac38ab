import type { OpenMissing } from '../database/missing-ranges.ts';
import type { ParkedSize } from '../database/parked.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import type { DeadLetterReason } from '../route/to-dead-letter.ts';

export interface Trouble {
  readonly parked: ParkedSize;
  /** No more may be parked. */
  readonly full: boolean;
  readonly openLetters: ReadonlyMap<DeadLetterReason, number>;
  readonly missing: OpenMissing;
}

/** Metrics and alarms of what only a human can end: open dead letters, events parked too long, parking that is full. */
export function tellOperator<E extends DecodedEvent>(
  { alarms, metrics, settings }: Inbox<E>,
  { parked, full, openLetters, missing }: Trouble,
): void {
  metrics.parkedNow(parked.rows, parked.bytes, parked.oldestAgeMs);
  metrics.openLetters(openLetters);
  const set = (key: string, on: boolean, reason: () => string): void =>
    on ? alarms.raise(key, reason()) : alarms.clear(key);

  set('dead letters', openLetters.size > 0, () => {
    const counts = [...openLetters].map(([reason, count]) => `${count} ${reason}`);
    return `open dead letters: ${counts.join(', ')}; "npm run dlq -- list" shows them`;
  });
  set('records missing', missing.count > 0, () => {
    const more = missing.count > missing.reasons.length ? ` and ${missing.count - missing.reasons.length} more` : '';
    return `${missing.reasons.join('; ')}${more}; "npm run audit" says what is lost, and a clean one clears this`;
  });
  set('parked long', parked.oldestAgeMs > settings.parkedAlarmAgeMs, () => {
    const seconds = Math.round(parked.oldestAgeMs / 1_000);
    return `${parked.rows === 1 ? '1 event is' : `${parked.rows} events are`} parked, the oldest for ${seconds} s; "npm run inbox -- status" shows them`;
  });
  set(
    'parking full',
    full,
    () =>
      `${parked.rows} events (${parked.bytes} bytes) are parked: consumption pauses until dead letters are replayed or skipped`,
  );
}
