import { UnavailableError } from '@board/service';
import type { Change, Command, Outcome } from './command.ts';

/** A command on its way through the group commit, whose caller waits for its outcome. */
export interface PendingCommand {
  readonly command: Command;
  /**
   * What its transactions wrote so far, without those that were rolled back for sure: one of them
   * may have been committed, although its answer was lost.
   */
  readonly attempts: Change[];
  /** Only the first answer or failure counts. */
  readonly answer: (outcome: Outcome) => void;
  readonly fail: (error: unknown) => void;
  /** Answered or failed; also when its time is over: then nothing of it may be written any more. */
  readonly isAnswered: () => boolean;
}

/**
 * A command and its outcome, which is an UnavailableError when nothing else has come within the
 * deadline.
 */
export function createPending(
  command: Command,
  deadlineMs: number,
): { readonly pending: PendingCommand; readonly outcome: Promise<Outcome> } {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  let isAnswered = false;
  const once = (act: () => void): void => {
    if (isAnswered) return;
    isAnswered = true;
    clearTimeout(timer);
    act();
  };
  const pending: PendingCommand = {
    command,
    attempts: [],
    answer: (outcome) => once(() => resolve(outcome)),
    fail: (error) => once(() => reject(sayWhetherDone(error, pending.attempts))),
    isAnswered: () => isAnswered,
  };
  const late = `The database did not take the command within ${deadlineMs} ms.`;
  const timer = setTimeout(() => pending.fail(new UnavailableError(late)), deadlineMs);
  return { pending, outcome: promise };
}

/** A client must know whether it may send the command again without its key. */
function sayWhetherDone(error: unknown, attempts: readonly Change[]): unknown {
  if (!(error instanceof UnavailableError)) return error;
  const outcome =
    attempts.length > 0
      ? 'Whether the command was done cannot be told yet.'
      : 'So it was not done.';
  return new UnavailableError(`${error.message} ${outcome}`, { cause: error });
}
