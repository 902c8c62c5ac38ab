import type { ConsumerEntry, SourceEntry } from './compare.ts';

/** What the audit says of one aggregate that is not simply in step. */
export type Verdict =
  /** Changed while the audit ran, parked, or on its way through a retry topic. */
  | 'in flight'
  | 'behind a dead letter'
  | 'skipped'
  /** Behind, and its next event is nowhere. */
  | 'LOST'
  /** The consumer has applied more than the source has. */
  | 'AHEAD'
  | 'conflict'
  /** Other content at the same version. */
  | 'different'
  /** Behind, and nobody knows whether its next event is still on its way. */
  | 'cannot tell';

export const verdicts: readonly Verdict[] = [
  'in flight',
  'behind a dead letter',
  'skipped',
  'LOST',
  'AHEAD',
  'conflict',
  'different',
  'cannot tell',
];

/** What breaks the guarantee. */
export const redVerdicts: readonly Verdict[] = ['LOST', 'AHEAD', 'conflict', 'different'];

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

/** One aggregate that is not in step. */
interface Finding {
  readonly id: string;
  readonly verdict: Verdict;
  /** The version that the consumer should have reached; 0 when the source has no such aggregate. */
  readonly version: number;
  /** The version that the consumer has applied. */
  readonly mark: number;
}

export interface AuditReport {
  /** `incomplete`: nothing is known to be wrong, but not everything could be judged. */
  readonly outcome: 'clean' | 'red' | 'incomplete';
  /** Why not everything could be judged. */
  readonly cannotTell: string | undefined;
  /** Aggregates of the source that were compared. */
  readonly compared: number;
  readonly inStep: number;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** The first few of each verdict, in the order of their ids. */
  readonly findings: readonly Finding[];
}

export interface Tally {
  add(finding: Finding): void;
  compared(count: number): void;
  /** `barrier`: why it was not passed. */
  report(barrier: string | undefined): AuditReport;
}

/** Counts findings and keeps the first `listed` of each verdict, so that its size does not depend on what it is told. */
export function openTally(listed: number): Tally {
  const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Record<Verdict, number>;
  const findings: Finding[] = [];
  let compared = 0;
  let phantoms = 0;
  return {
    add(finding) {
      counts[finding.verdict] += 1;
      if (finding.version === 0) phantoms += 1;
      if (counts[finding.verdict] <= listed) findings.push(finding);
    },
    compared(count) {
      compared += count;
    },
    report(barrier) {
      const cannotTell =
        barrier ??
        (counts['cannot tell'] > 0
          ? 'an open dead letter without its record may be the event that is missing: "npm run dlq -- list" marks it "(bare)"'
          : undefined);
      const found = verdicts.reduce((sum, verdict) => sum + counts[verdict], 0);
      const isRed = redVerdicts.some((verdict) => counts[verdict] > 0);
      return {
        outcome: isRed ? 'red' : cannotTell === undefined ? 'clean' : 'incomplete',
        cannotTell,
        compared,
        inStep: compared - (found - phantoms),
        counts,
        findings,
      };
    },
  };
}
