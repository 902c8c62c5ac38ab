import type { Attempt, ClientOperation, Outcome } from '../history.ts';
import { about, isBefore, isSuccess } from './check-commands.ts';
import type { BoardFile } from './index-run.ts';
import type { Rule } from './rule.ts';

/** The answers that clients got, against what they asked for. */
export const answerRules: readonly Rule[] = [
  {
    invariant: 'I3',
    name: 'a repeated command gets its first answer',
    evenAmongOthers: true,
    *find({ history }) {
      for (const { kind, key, boardId, outcome, attempts } of history.operations) {
        const [first, ...later] = attempts
          .slice(attempts.findIndex(isSuccess))
          .flatMap(finalAnswer);
        const other = later.find((answer) => answer !== first);
        if (outcome.kind === 'ok' && other !== undefined)
          yield about(
            boardId,
            undefined,
            `the ${kind} ${key} was answered ${first}, and a repeat of it ${other}`,
          );
      }
    },
  },
  {
    invariant: 'I1',
    name: 'a refusal has a cause',
    evenAmongOthers: true,
    *find({ history, boards }) {
      for (const operation of history.operations) {
        const { kind, key, boardId, outcome } = operation;
        if (!isFinal(outcome) || outcome.kind !== 'refused') continue;
        const file = boards.get(boardId ?? '');
        const contradiction = whyNot(operation, outcome.status, file);
        if (contradiction !== undefined)
          yield about(
            boardId,
            file?.events.at(-1),
            `the ${kind} ${key} was refused with ${outcome.status}, but ${contradiction}`,
          );
      }
    },
  },
  {
    invariant: 'I8',
    name: 'a command that is repeated is answered',
    evenAmongOthers: true,
    *find({ history }) {
      // Of a run that died nothing is known of its last commands.
      if (history.run.quiescence === null) return;
      for (const { kind, key, boardId, isAbandoned, attempts, outcome } of history.operations)
        if (!isAbandoned && !isFinal(outcome))
          yield about(
            boardId,
            undefined,
            `the ${kind} ${key} was sent ${attempts.length} times, also after the last fault, and had no final answer`,
          );
    },
  },
];

/** Not a mere "So it was not done.", which a repeat may change. */
function isFinal(outcome: Outcome): boolean {
  return (
    outcome.kind === 'ok' ||
    (outcome.kind === 'refused' && outcome.status !== null && outcome.status < 500)
  );
}

/** What is wrong with the refusal of a command that every client forms well. */
function whyNot(
  operation: ClientOperation,
  status: number | null,
  file: BoardFile | undefined,
): string | undefined {
  const { boardId, ifVersion } = operation;
  const { events = [], operations = [] } = file ?? {};
  if (boardId === null) return 'nothing was wrong with it';
  switch (status) {
    case 404: {
      const wasCreated = operations.some(
        (one) => one.kind === 'create' && isBefore(one, operation),
      );
      return wasCreated ? 'its creation was acknowledged before' : undefined;
    }
    case 410:
      return events.some(({ type }) => type === 'BoardDeleted')
        ? undefined
        : 'it was never deleted';
    case 412:
      if (ifVersion === null) return 'it demanded no version';
      return events.at(-1)?.version === ifVersion
        ? `it never had another version than ${ifVersion} after that`
        : undefined;
    case null:
    default:
      return 'nothing was wrong with it';
  }
}

/** Its status and the digest of its body; none where a repeat may get another one. */
function finalAnswer({ result }: Attempt): readonly string[] {
  if (
    result?.kind !== 'answered' ||
    result.status >= 500 ||
    [408, 409, 425, 429].includes(result.status)
  )
    return [];
  return [`${result.status} with the body ${result.digest.slice(0, 12)}`];
}
