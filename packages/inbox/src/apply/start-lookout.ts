import type { ReadinessState } from '@board/service-kit';
import { closeSettledPage, countOpenLetters, firstPlace, type LetterPlace } from '../database/dead-letters.ts';
import { openMissing } from '../database/missing-ranges.ts';
import { parkedSize } from '../database/parked.ts';
import { inTransaction } from '../database/transaction.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import { describeFault } from '../route/describe-fault.ts';
import { repeat } from './repeat.ts';
import { tellOperator } from './tell-operator.ts';

/** Open letters are looked at a few thousand at a time: with a hundred thousand, one that is settled is closed within a minute or two. */
const pagesPerLook = 5;

export interface Lookout {
  /** More is parked than the settings allow: nothing new may be taken until a repair makes room. */
  isFull(): boolean;
  stop(): Promise<void>;
}

/** Looks every few seconds at what only a human can end, apart from the sweep, which may take long. */
export function startLookout<E extends DecodedEvent>(inbox: Inbox<E>, readiness: ReadinessState): Lookout {
  const { consumer, dataSource, guard, metrics, settings, alarms, logger } = inbox;
  let full = false;
  let after = firstPlace;

  async function look(): Promise<void> {
    await guard.refresh();
    const { parked, openLetters, missing, next } = await inTransaction(dataSource, metrics.rerun, async ({ tx }) => {
      let next: LetterPlace | undefined = after;
      for (let pages = 0; next !== undefined && pages < pagesPerLook; pages += 1)
        next = await closeSettledPage(tx, consumer, inbox.now(), next);
      return {
        parked: await parkedSize(tx, consumer, inbox.now()),
        openLetters: await countOpenLetters(tx, consumer),
        missing: await openMissing(tx, consumer),
        next,
      };
    });
    after = next ?? firstPlace;
    full = parked.rows >= settings.maxParkedRows || parked.bytes >= settings.maxParkedBytes;
    if (full) readiness.notReady('parking is full');
    else readiness.ready();
    tellOperator(inbox, { parked, full, openLetters, missing });
  }

  const stop = repeat(settings.sweepEveryMs, async () => {
    try {
      await look();
      alarms.clear('lookout');
    } catch (error) {
      alarms.raise('lookout', `dead letters and parked events cannot be counted: ${describeFault(inbox, error)}`);
      logger.warn({ event: 'inbox.lookout-failed', err: error });
    }
  });
  return { isFull: () => full, stop };
}
