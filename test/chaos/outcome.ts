import type { AnsweredBoard, Attempt, Outcome } from './history.ts';

type Result = NonNullable<Attempt['result']>;

/** Of these a repeat may get another answer. */
const passing = [408, 409, 425, 429];

/** Whether the answer says what became of the command, so that a repeat would learn nothing. */
export function isFinal(result: Result): boolean {
  return result.kind === 'answered' && result.status < 500 && !passing.includes(result.status);
}

/**
 * What is known of a command after these attempts; `board` is what the last one was answered with.
 */
export function outcomeOf(attempts: readonly Attempt[], board: AnsweredBoard | null): Outcome {
  const last = attempts.at(-1)?.result ?? null;
  const status = last?.kind === 'answered' ? last.status : null;
  if (last !== null && isFinal(last))
    return status !== null && status < 300 ? { kind: 'ok', board } : { kind: 'refused', status };
  return attempts.every(wasNotDone) ? { kind: 'refused', status } : { kind: 'unknown' };
}

/** A 503 may come after a COMMIT whose answer was lost, unless it says that it does not. */
function wasNotDone({ result }: Attempt): boolean {
  if (result?.kind === 'failed') return result.error === 'ECONNREFUSED';
  return (
    result?.kind === 'answered' &&
    result.status === 503 &&
    result.detail?.endsWith('So it was not done.') === true
  );
}
