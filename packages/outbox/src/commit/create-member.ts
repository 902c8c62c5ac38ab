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
    fail: (error) => settleOnce(() => reject(error)),
    isSettled: () => isSettled,
  };
  const timer = setTimeout(() => member.fail(tooLate(deadlineMs, member.attempts.length > 0)), deadlineMs);
  return { member, outcome: promise };
}

function tooLate(deadlineMs: number, isTried: boolean): UnavailableError {
  const end = isTried ? 'nobody can tell yet whether it was done' : 'it was not done';
  return new UnavailableError(`The database did not take the command within ${deadlineMs} ms; ${end}.`);
}
