import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import { describeFault } from '../route/describe-fault.ts';
import { repeat } from './repeat.ts';
import { sweep } from './sweep.ts';

/** Sweeps at start and every few seconds; the returned function stops that. */
export function startSweeper<E extends DecodedEvent>(inbox: Inbox<E>): () => Promise<void> {
  const { guard, settings, alarms, logger } = inbox;
  let seenBefore = new Map<string, number>();

  return repeat(settings.sweepEveryMs, async (isStopped) => {
    // While the guard is open only its probe may try events.
    if (guard.isOpen()) return;
    const seen = new Map<string, number>();
    // Whoever sets an event free drains it at once, here or in another process: what is there twice was left behind.
    const isLeftOver = (aggregateId: string, version: number): boolean => {
      seen.set(aggregateId, version);
      return seenBefore.get(aggregateId) === version;
    };
    try {
      await sweep(inbox, { isLeftOver, isOver: () => isStopped() || guard.isOpen() });
      alarms.clear('sweep');
    } catch (error) {
      alarms.raise('sweep', `parked events cannot be swept: ${describeFault(inbox, error)}`);
      logger.warn({ event: 'inbox.sweep-failed', err: error });
    }
    seenBefore = seen;
  });
}
