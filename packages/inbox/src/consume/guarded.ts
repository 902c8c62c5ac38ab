import { headerNames } from '@board/contracts';
import { HandlerTimeoutError, UnfinishedDeploymentError } from '../errors.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import { headerText, type SourceRecord } from '../record.ts';
import { describeError } from '../route/describe-error.ts';
import { createBackoff, type Backoff } from './backoff.ts';
import type { Verdict } from './partition-loop.ts';

export interface Guarded {
  readonly settle: (records: readonly SourceRecord[]) => Promise<Verdict>;
  /** Forgets partitions that are another instance's now, and their alarms. */
  keepOnly(owns: (topic: string, partition: number) => boolean): void;
}

interface Waiting {
  readonly topic: string;
  readonly partition: number;
  readonly backoff: Backoff;
}

/**
 * Wraps the settling of records so that nothing escapes it: whatever fails is not the event's fault (an event's own failures
 * were routed before), so the partition waits, longer each time, says so, and reads the same records again.
 */
export function guarded<E extends DecodedEvent>(
  inbox: Inbox<E>,
  settle: (records: readonly SourceRecord[]) => Promise<Verdict>,
): Guarded {
  const waiting = new Map<string, Waiting>();
  const alarmOf = (topic: string, partition: number): string => `waiting ${topic}/${partition}`;

  function succeeded(topic: string, partition: number): void {
    if (!waiting.delete(alarmOf(topic, partition))) return;
    inbox.alarms.clear(alarmOf(topic, partition));
    inbox.logger.info({ event: 'inbox.resumed', topic, partition });
  }

  function failed(topic: string, partition: number, error: unknown): Verdict {
    const alarm = alarmOf(topic, partition);
    const { backoff } = waiting.get(alarm) ?? { backoff: createBackoff(inbox.settings.maxWaitMs) };
    waiting.set(alarm, { topic, partition, backoff });
    const waitMs = backoff.next();
    inbox.alarms.raise(alarm, `partition ${topic}/${partition} waits: ${describeError(error).message}`);
    inbox.metrics.waiting('infrastructure');
    inbox.logger.warn({ event: 'inbox.waiting', topic, partition, waitMs, failures: backoff.failures(), err: error });
    return { settled: 0, waitMs };
  }

  return {
    async settle(records) {
      const { topic = '', partition = 0 } = records[0]?.origin ?? {};
      try {
        const verdict = await settle(records);
        succeeded(topic, partition);
        return verdict;
      } catch (error) {
        if (!(error instanceof HandlerTimeoutError))
          return { ...failed(topic, partition, error), settled: settledBefore(records, error) };
        inbox.logger.warn({ event: 'inbox.too-slow', topic, partition, records: records.length });
        return { settled: 0, tooSlow: true };
      }
    },
    keepOnly(owns) {
      for (const { topic, partition } of [...waiting.values()].filter((one) => !owns(one.topic, one.partition))) {
        waiting.delete(alarmOf(topic, partition));
        inbox.alarms.clear(alarmOf(topic, partition));
      }
    },
  };
}

/** Of a batch that waits for one event, what stands before it is settled; what follows is read again. */
function settledBefore(records: readonly SourceRecord[], error: unknown): number {
  if (!(error instanceof UnfinishedDeploymentError)) return 0;
  return Math.max(
    0,
    records.findIndex(({ headers }) => headerText(headers, headerNames.eventId) === error.eventId),
  );
}
