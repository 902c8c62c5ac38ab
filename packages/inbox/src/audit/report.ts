import { redVerdicts, verdicts, type Verdict } from './verdict.ts';

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
