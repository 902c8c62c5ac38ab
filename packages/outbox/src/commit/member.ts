import type { Change, Command, Outcome } from './command.ts';

/** A command on its way through the group commit, with whoever waits for its outcome. */
export interface Member<State, Refusal> {
  readonly command: Command<State, Refusal>;
  /**
   * What its transactions wrote so far, without those that were rolled back for sure: one of them may have been committed,
   * although its answer was lost.
   */
  readonly attempts: Change<State>[];
  readonly settle: (outcome: Outcome<State, Refusal>) => void;
  readonly fail: (error: unknown) => void;
  /** Answered, one way or the other; also when its caller stopped waiting. */
  readonly isSettled: () => boolean;
}
