// Flow 9/9: dead letter is replayed
import { retryTopicName } from '@board/contracts';
import { headerText, type SourceRecord } from '../record.ts';
import { deadLetterHeaders, retryHeaders, sendableHeaders, sourceHeaders } from './headers.ts';
import type { RoutedRecord } from './publisher.ts';

/**
 * The record that carries a dead letter back: to its own group's first retry topic, due now, as attempt 1.
 * `source`: the record it is about, where the dead letter is bare.
 */
export function toReplay(group: string, deadLetter: SourceRecord, nowMs: number, source?: SourceRecord): RoutedRecord {
  const text = (name: string): string | undefined => headerText(deadLetter.headers, name);
  const carried = {
    [retryHeaders.originTopic]: text(deadLetterHeaders.originTopic),
    [retryHeaders.originPartition]: text(deadLetterHeaders.originPartition),
    [retryHeaders.originOffset]: text(deadLetterHeaders.originOffset),
    [retryHeaders.originTimestamp]: text(deadLetterHeaders.originTimestamp),
    [retryHeaders.firstFailedAt]: text(deadLetterHeaders.firstFailedAt),
  };
  const known = Object.entries(carried).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    topic: retryTopicName(group, 1),
    partition: deadLetter.origin.partition,
    key: (source ?? deadLetter).key,
    value: (source ?? deadLetter).value,
    headers: {
      ...sendableHeaders(source?.headers ?? sourceHeaders(deadLetter.headers)),
      ...Object.fromEntries(known),
      [retryHeaders.attempts]: '0',
      [retryHeaders.dueAt]: String(nowMs),
      [retryHeaders.replayed]: 'true',
    },
  };
}
