import type { ConsumerEntry, SourceEntry } from './sides.ts';
import type { Verdict } from './verdict.ts';

export interface Case {
  /** The source as the comparison met it, before the fence; undefined when it had no such aggregate. */
  readonly noted: SourceEntry | undefined;
  /** Read once the groups had passed everything that was committed up to then. */
  readonly consumer: ConsumerEntry;
  /** The source read AFTER the consumer: a mark above this version was never right. */
  readonly source: SourceEntry | undefined;
  /** Its next event is in a source or retry topic, unread. */
  readonly nextUnread: boolean;
  /** The fence has passed, and the groups everything before it. */
  readonly settled: boolean;
}

/** Judges one aggregate that the comparison found different. */
export function judge({ noted, consumer, source, nextUnread, settled }: Case): Verdict | 'in step' {
  if (consumer.conflict) return 'conflict';
  const version = source?.version ?? 0;
  if (consumer.version > version || (source === undefined && consumer.content !== undefined)) return 'AHEAD';
  if (consumer.version < (noted?.version ?? 0)) {
    if (consumer.nextDead) return 'behind a dead letter';
    if (consumer.nextParked || nextUnread) return 'in flight';
    return settled ? 'LOST' : 'cannot tell';
  }
  const same = [source, noted].find((side) => side?.version === consumer.version);
  // Changed again since, and applied in between: nothing of that version is left to compare with.
  if (same === undefined) return 'in step';
  if (sameEvent(same, consumer) && same.content === consumer.content) return 'in step';
  if (consumer.skipped) return 'skipped';
  return sameEvent(same, consumer) ? 'different' : 'conflict';
}

/** Two ids that are both known tell two events apart. */
export function sameEvent(source: SourceEntry, consumer: ConsumerEntry): boolean {
  return source.eventId === undefined || consumer.eventId === undefined || source.eventId === consumer.eventId;
}
