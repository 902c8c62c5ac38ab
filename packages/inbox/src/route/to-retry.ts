// Flow 7/9: failure becomes a retry
import { retryTopicName } from '@board/contracts';
import type { Delivery } from '../delivery.ts';
import type { InboxSettings } from '../settings.ts';
import { describeError } from './describe-error.ts';
import type { RoutedRecord } from './routed-record.ts';
import { retryHeaders, sendableHeaders } from './route-headers.ts';

/** The record that carries a failed event to its group's next retry topic; undefined when its attempts are spent. */
export function toRetry(
  group: string,
  settings: InboxSettings,
  failed: Delivery,
  error: unknown,
  nowMs: number,
  random: () => number,
): RoutedRecord | undefined {
  if (failed.attempt >= settings.maxAttempts) return undefined;
  return toTier(group, settings, failed, failed.attempt, error, nowMs, random);
}

/** The record that takes a failed event to the end of the tier that it came from: this attempt is not counted. */
export function toSameTier(
  group: string,
  settings: InboxSettings,
  failed: Delivery,
  error: unknown,
  nowMs: number,
  random: () => number,
): RoutedRecord {
  return toTier(group, settings, failed, Math.max(1, failed.attempt - 1), error, nowMs, random);
}

function toTier(
  group: string,
  settings: InboxSettings,
  failed: Delivery,
  attempts: number,
  error: unknown,
  nowMs: number,
  random: () => number,
): RoutedRecord {
  const { record } = failed;
  const { errorClass, message } = describeError(error);
  return {
    topic: retryTopicName(group, attempts),
    partition: record.origin.partition,
    key: record.key,
    value: record.value,
    headers: {
      ...sendableHeaders(record.headers),
      [retryHeaders.attempts]: String(attempts),
      [retryHeaders.dueAt]: String(nowMs + retryDelayMs(settings, attempts, random)),
      [retryHeaders.originTopic]: record.origin.topic,
      [retryHeaders.originPartition]: String(record.origin.partition),
      [retryHeaders.originOffset]: record.origin.offset,
      [retryHeaders.originTimestamp]: String(record.origin.timestampMs),
      [retryHeaders.errorClass]: errorClass,
      [retryHeaders.errorMessage]: message,
      [retryHeaders.firstFailedAt]: String(failed.firstFailedAtMs ?? nowMs),
      ...(failed.replayed ? { [retryHeaders.replayed]: 'true' } : {}),
    },
  };
}

/** Wait before the attempt after `attempt`: exponential, varied by the jitter so that failures do not return in step. */
export function retryDelayMs(settings: InboxSettings, attempt: number, random: () => number): number {
  const delayMs = settings.retryBaseMs * settings.retryFactor ** (attempt - 1);
  return Math.round(delayMs * (1 + settings.retryJitter * (2 * random() - 1)));
}
