/** Aggregates by id: after the one, up to and with the other; without an end, all that follow. */
export interface IdRange {
  readonly after: string;
  readonly upTo: string | undefined;
}

/** A whole range in a few numbers, computed by the database. */
export interface Digest {
  /** Aggregates in the range. */
  readonly count: number;
  /** Hash over id, version and content of each; comparable between the sides. */
  readonly state: string;
  /** How many of them have a known event id for their version. */
  readonly known: number;
  /** Hash over id and event id of those. */
  readonly events: string;
}

/** One aggregate as its owner has it. */
export interface SourceEntry {
  readonly id: string;
  /** Counts from 1. */
  readonly version: number;
  /** Hash of everything that the consumer should have too. */
  readonly content: string;
  /** Of the event that made this version; undefined once its outbox row is purged. */
  readonly eventId: string | undefined;
}

/**
 * One aggregate as the consumer has it; read in one statement, so that mark and content belong
 * together.
 */
export interface ConsumerEntry {
  readonly id: string;
  /** The mark; 0 when nothing was applied. */
  readonly version: number;
  /** Undefined when there is no row. */
  readonly content: string | undefined;
  readonly eventId: string | undefined;
  /** The version at the mark was passed over without its effect. */
  readonly skipped: boolean;
  /** Version mark + 1 is parked. */
  readonly nextParked: boolean;
  /** Version mark + 1 is an open dead letter. */
  readonly nextDead: boolean;
  /** An open dead letter says that two events claim one version. */
  readonly conflict: boolean;
}

/** The owner's aggregates, read from its database. */
export interface SourceSide {
  /**
   * The id of the aggregate that is `count` places after this one; undefined when there are fewer.
   */
  boundary(after: string, count: number): Promise<string | undefined>;
  digest(range: IdRange): Promise<Digest>;
  /** In the order of their ids. */
  list(range: IdRange): Promise<readonly SourceEntry[]>;
  find(ids: readonly string[]): Promise<readonly SourceEntry[]>;
}

/** The same aggregates as the consumer has them, read from its database. */
export interface ConsumerSide {
  boundary(after: string, count: number): Promise<string | undefined>;
  /** `odd`: what the hashes do not show, such as content without a mark or an open conflict. */
  digest(range: IdRange): Promise<Digest & { readonly odd: number }>;
  list(range: IdRange): Promise<readonly ConsumerEntry[]>;
  /**
   * An open dead letter stands for records that it does not hold and whose events cannot be named.
   */
  holdsUnnamed(): Promise<boolean>;
  /** An entry for every id, also when the consumer has nothing. */
  find(ids: readonly string[]): Promise<readonly ConsumerEntry[]>;
}

/**
 * An aggregate that differed when its range was compared, and the source as it was then; undefined
 * when the source had none.
 */
export interface Candidate {
  readonly id: string;
  readonly noted: SourceEntry | undefined;
}

/** True when the two sides of a range need not be compared entry by entry. */
export function isEqual(
  source: Digest,
  consumer: Awaited<ReturnType<ConsumerSide['digest']>>,
): boolean {
  if (consumer.odd > 0 || source.count !== consumer.count) return false;
  if (source.count === 0) return true;
  if (source.state !== consumer.state) return false;
  // The source forgets event ids with its outbox rows; a range of which it knows some must be
  // compared entry by entry.
  return (
    source.known === 0 || (source.known === consumer.known && source.events === consumer.events)
  );
}

/** Which aggregates of a range differ. */
export function findCandidates(
  source: readonly SourceEntry[],
  consumer: readonly ConsumerEntry[],
): Candidate[] {
  const consumed = new Map(consumer.map((entry) => [entry.id, entry]));
  const candidates: Candidate[] = source
    .filter((entry) => !isInStep(entry, consumed.get(entry.id)))
    .map((entry) => ({ id: entry.id, noted: entry }));
  const known = new Set(source.map(({ id }) => id));
  for (const { id } of consumer) if (!known.has(id)) candidates.push({ id, noted: undefined });
  return candidates;
}

function isInStep(source: SourceEntry, consumer: ConsumerEntry | undefined): boolean {
  return (
    consumer !== undefined &&
    !consumer.conflict &&
    source.version === consumer.version &&
    source.content === consumer.content &&
    sameEvent(source, consumer)
  );
}

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
  /** Behind, and it is not known whether its next event is still on its way. */
  | 'cannot tell';

/** Every verdict, in the order in which a report lists them. */
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

/** What was read of one candidate. */
export interface Case {
  /**
   * The source as the comparison met it, before the fence; undefined when it had no such aggregate.
   */
  readonly noted: SourceEntry | undefined;
  /** Read once the groups had passed everything that was committed up to then. */
  readonly consumer: ConsumerEntry;
  /** The source, read after the consumer: a mark above this version was never right. */
  readonly source: SourceEntry | undefined;
  /** Its next event is in a source or retry topic, unread. */
  readonly nextUnread: boolean;
  /** The fence has passed, and the groups everything before it. */
  readonly isBarrierPassed: boolean;
}

/** What one candidate is, from what was read of it; never waits. */
export function classify({
  noted,
  consumer,
  source,
  nextUnread,
  isBarrierPassed,
}: Case): Verdict | 'in step' {
  if (consumer.conflict) return 'conflict';
  const version = source?.version ?? 0;
  if (consumer.version > version || (source === undefined && consumer.content !== undefined))
    return 'AHEAD';
  if (consumer.version < (noted?.version ?? 0)) {
    if (consumer.nextDead) return 'behind a dead letter';
    if (consumer.nextParked || nextUnread) return 'in flight';
    return isBarrierPassed ? 'LOST' : 'cannot tell';
  }
  const same = [source, noted].find((side) => side?.version === consumer.version);
  // Changed again since, and applied in between: nothing of that version is left to compare with.
  if (same === undefined) return 'in step';
  if (sameEvent(same, consumer) && same.content === consumer.content) return 'in step';
  if (consumer.skipped) return 'skipped';
  return sameEvent(same, consumer) ? 'different' : 'conflict';
}

/** Two events are different only when both ids are known and differ. */
function sameEvent(source: SourceEntry, consumer: ConsumerEntry): boolean {
  return (
    source.eventId === undefined ||
    consumer.eventId === undefined ||
    source.eventId === consumer.eventId
  );
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

/** The result of one audit; printed as JSON. */
export interface AuditReport {
  /** `incomplete`: nothing is known to be wrong, but not everything could be classified. */
  readonly outcome: 'clean' | 'red' | 'incomplete';
  /** Why not everything could be classified. */
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

/**
 * Counts findings and keeps the first `listed` of each verdict, so that its size does not depend on
 * how many there are.
 */
export function openTally(listed: number, consumerFlag = ''): Tally {
  const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Record<
    Verdict,
    number
  >;
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
          ? `an open dead letter without its record may be the event that is missing: "npm run dlq -- list${consumerFlag}" marks it "(bare)"`
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
