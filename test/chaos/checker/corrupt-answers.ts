import { type Corruption, answeredBoard, answeredTwice, boardOf, notDone, one } from './corrupt.ts';

/** What breaks the rules of check-answers.ts, each a single one. */
export const answersCorruptions: readonly Corruption[] = [
  ...(
    [
      ['another body', 201],
      ['a refusal', 404],
    ] as const
  ).map(([what, status]): Corruption => ({
    rule: 'a repeated command gets its first answer',
    name: `a repeat that got ${what}`,
    apply: ({ history }, pick) =>
      one(
        pick,
        history.operations.filter((operation) => answeredTwice(operation)),
        ({ attempts }) => {
          Object.assign(attempts.at(-1) ?? {}, {
            result: { kind: 'answered', status, detail: null, digest: 'another' },
          });
        },
      ),
  })),
  {
    rule: 'a refusal has a cause',
    name: 'a board whose creation was acknowledged was not found',
    apply({ history }, pick) {
      const endedAt = new Map(
        history.operations.flatMap((one) =>
          one.kind === 'create' && answeredBoard(one)
            ? [[answeredBoard(one)?.id, one.attempts.at(-1)?.endedAt ?? 0]]
            : [],
        ),
      );
      const later = history.operations.filter(({ boardId, outcome, attempts }) => {
        const created = endedAt.get(boardId ?? '');
        const isRefused = outcome.kind === 'refused' && outcome.status === null;
        return isRefused && created !== undefined && created < (attempts.at(-1)?.sentAt ?? 0);
      });
      return one(pick, later, (operation) => {
        operation.outcome = { kind: 'refused', status: 404 };
      });
    },
  },
  {
    rule: 'a refusal has a cause',
    name: 'a board that was never deleted was gone',
    apply: (run, pick) =>
      one(
        pick,
        notDone(run).filter(
          ({ boardId }) => boardOf(run.evidence, boardId ?? '')?.deletedAt === null,
        ),
        (operation) => {
          operation.outcome = { kind: 'refused', status: 410 };
        },
      ),
  },
  {
    rule: 'a refusal has a cause',
    name: 'an edit was refused although the board had the version it demanded',
    apply: (run, pick) =>
      one(pick, notDone(run), (operation) => {
        operation.outcome = { kind: 'refused', status: 412 };
        operation.ifVersion = boardOf(run.evidence, operation.boardId ?? '')?.version ?? 0;
      }),
  },
  ...([400, 403, 409, 422] as const).map((status): Corruption => ({
    rule: 'a refusal has a cause',
    name: `a create that was refused with ${status}`,
    apply: ({ history }, pick) =>
      one(
        pick,
        history.operations.filter(
          ({ kind, outcome }) => kind === 'create' && outcome.kind === 'refused',
        ),
        (operation) => {
          operation.outcome = { kind: 'refused', status };
        },
      ),
  })),
  {
    rule: 'a refusal has a cause',
    name: 'an edit that was refused as not well-formed',
    apply: (run, pick) =>
      one(pick, notDone(run), (operation) => {
        operation.outcome = { kind: 'refused', status: 422 };
      }),
  },
  {
    rule: 'a command that is repeated is answered',
    name: 'a command that is still running after the run has quiesced',
    apply: ({ history }, pick) =>
      one(
        pick,
        history.operations.filter(({ outcome }) => outcome.kind === 'unknown'),
        (operation) => {
          operation.isAbandoned = false;
        },
      ),
  },
  {
    rule: 'a command that is repeated is answered',
    name: 'a command that was never done however often it was repeated',
    apply: (run, pick) =>
      one(pick, notDone(run), (operation) => {
        operation.isAbandoned = false;
      }),
  },
];
