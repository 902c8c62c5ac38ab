import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import { describeError } from '../route/describe-error.ts';
import { repeat } from './repeat.ts';
import { sweep } from './sweep.ts';

/** Sweeps at start and every few seconds; the returned function stops that. */
export function startSweeper<E extends DecodedEvent>(inbox: Inbox<E>): () => Promise<void> {
  const { guard, settings, alarms, logger } = inbox;
  return repeat(settings.sweepEveryMs, async () => {
    // While the guard is open only its probe may try events.
    if (guard.isOpen()) return;
    try {
      await sweep(inbox);
      alarms.clear('sweep');
    } catch (error) {
      alarms.raise('sweep', `parked events cannot be swept: ${describeError(error).message}`);
      logger.warn({ event: 'inbox.sweep-failed', err: error });
    }
  });
}
