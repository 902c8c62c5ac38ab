import { UnavailableError } from '@board/service-kit';
import type { Command, Outcome } from './command.ts';
import type { Member } from './member.ts';

/** Answers a command once: by whoever settles it, or when its time is over. */
export function createMember<State, Refusal>(command: Command<State, Refusal>, deadlineMs: number) {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome<State, Refusal>>();
  let isSettled = false;
  const settleOnce = (act: () => void): void => {
    if (isSettled) return;
    isSettled = true;
    clearTimeout(timer);
    act();
  };
  const member: Member<State, Refusal> = {
    command,
    attempts: [],
    settle: (outcome) => settleOnce(() => resolve(outcome)),
    fail: (error) => settleOnce(() => reject(withOutcome(error, member.attempts.length > 0))),
    isSettled: () => isSettled,
  };
  const late = `The database did not take the command within ${deadlineMs} ms.`;
  const timer = setTimeout(() => member.fail(new UnavailableError(late)), deadlineMs);
  return { member, outcome: promise };
}

/** A client must know whether it may send the command again without its key. */
function withOutcome(error: unknown, mayBeDone: boolean): unknown {
  if (!(error instanceof UnavailableError)) return error;
  const outcome = mayBeDone ? 'Whether the command was done cannot be told yet.' : 'So it was not done.';
  return new UnavailableError(`${error.message} ${outcome}`, { cause: error });
}
