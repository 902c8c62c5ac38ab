import type { RunIndex } from './index-run.ts';

/** What a rule has found; `describeFinding` adds what else is known of it. */
export interface Finding {
  readonly boardId: string | null;
  readonly eventId: string | null;
  /** One sentence with the values. */
  readonly sentence: string;
}

/** One thing that must hold at the end of every run. */
export interface Rule {
  /** I1 to I10 of the design. */
  readonly invariant: string;
  readonly name: string;
  /** Also where others write to the stack; then of the run's own boards only. */
  readonly evenAmongOthers: boolean;
  find(run: RunIndex): Iterable<Finding>;
}
