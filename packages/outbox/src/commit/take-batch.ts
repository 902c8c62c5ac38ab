import type { CommitLimits } from './commit-limits.ts';
import type { Member } from './member.ts';

/**
 * Takes the next batch off the queue. An aggregate that a running transaction changes is left waiting, with all its
 * members, so that they keep their order and nobody waits for a row of ours.
 */
export function takeBatch<State, Refusal>(
  queue: readonly Member<State, Refusal>[],
  isRunning: (aggregateId: string) => boolean,
  limits: Pick<CommitLimits, 'batchRows' | 'batchBytes'>,
): { readonly batch: Member<State, Refusal>[]; readonly rest: Member<State, Refusal>[] } {
  const batch: Member<State, Refusal>[] = [];
  const rest: Member<State, Refusal>[] = [];
  let bytes = 0;
  let isFull = false;
  for (const member of queue) {
    const { command } = member;
    isFull ||= batch.length > 0 && (batch.length >= limits.batchRows || bytes + command.bytes > limits.batchBytes);
    if (isFull || isRunning(command.aggregateId)) {
      rest.push(member);
    } else {
      batch.push(member);
      bytes += command.bytes;
    }
  }
  return { batch, rest };
}
