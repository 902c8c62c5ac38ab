import { dayOf } from './check-catalog.ts';
import {
  type Corruption,
  answeredBoard,
  boardOf,
  catalogOf,
  commandOf,
  eventAt,
  isText,
  lastEvents,
  one,
  overwrittenEvents,
  stateOf,
  unknownButDone,
} from './corrupt.ts';

/** What breaks the rules of check-commands.ts, each a single one. */
export const commandsCorruptions: readonly Corruption[] = [
  {
    rule: 'an acknowledged command is committed',
    name: 'an answer with a version that is not there',
    apply: ({ history }, pick) =>
      one(
        pick,
        history.operations.flatMap((operation) => answeredBoard(operation) ?? []),
        (board) => {
          board.version += 5;
        },
      ),
  },
  {
    rule: 'an acknowledged command is committed',
    name: 'a board whose creation was acknowledged is gone without a trace',
    apply({ history, evidence }, pick) {
      const ids = history.operations.flatMap((operation) => answeredBoard(operation)?.id ?? []);
      const untouched = ids.filter(
        (id) =>
          eventAt(evidence, id, 2) === undefined &&
          evidence.deadLetters.every(({ boardId }) => boardId !== id) &&
          history.operations.every(({ boardId }) => boardId !== id),
      );
      return one(pick, untouched, (id) => {
        const day = dayOf(boardOf(evidence, id)?.createdAt ?? 0);
        evidence.createdPerDay[day] = (evidence.createdPerDay[day] ?? 0) - 1;
        evidence.boards = evidence.boards.filter((row) => row.id !== id);
        evidence.catalog = evidence.catalog.filter((row) => row.id !== id);
        evidence.outbox = evidence.outbox.filter(({ boardId }) => boardId !== id);
        evidence.marks = evidence.marks.filter(({ boardId }) => boardId !== id);
        for (const list of ['source', 'retries'] as const)
          evidence[list] = evidence[list].filter(({ headers }) => headers['aggregateId'] !== id);
      });
    },
  },
  {
    rule: 'an acknowledged command is committed',
    name: 'a delete was acknowledged and not done',
    apply({ history, evidence }, pick) {
      const living = new Set(
        evidence.boards.flatMap(({ id, deletedAt }) => (deletedAt === null ? [id] : [])),
      );
      const deletes = history.operations.filter(
        ({ kind, boardId }) => kind === 'delete' && living.has(boardId ?? ''),
      );
      return one(pick, deletes, (operation) => {
        operation.outcome = { kind: 'ok', board: null };
      });
    },
  },
  {
    rule: 'a board is deleted for one client only',
    name: 'two deletes of one board were acknowledged',
    apply({ history }, pick) {
      const deleted = history.operations.filter(
        ({ kind, outcome }) => kind === 'delete' && outcome.kind === 'ok',
      );
      const ids = new Set(deleted.map(({ boardId }) => boardId));
      const others = history.operations.filter(
        (operation) =>
          operation.kind === 'delete' && ids.has(operation.boardId) && !deleted.includes(operation),
      );
      return one(pick, others, (operation) => {
        operation.outcome = { kind: 'ok', board: null };
        operation.ifVersion = null;
        // Sent early enough to have been the one.
        for (const attempt of operation.attempts) attempt.sentAt = 0;
      });
    },
  },
  {
    rule: 'an answer is what was committed',
    name: 'an answer with another content',
    apply: ({ history }, pick) =>
      one(
        pick,
        history.operations.flatMap((operation) => answeredBoard(operation) ?? []),
        (board) => {
          board.content += '?';
        },
      ),
  },
  {
    rule: 'an acknowledged command is committed',
    name: 'an answer of success without its board',
    apply: ({ history }, pick) =>
      one(
        pick,
        history.operations.filter((operation) => isText(operation) && answeredBoard(operation)),
        (operation) => {
          operation.outcome = { kind: 'ok', board: null };
        },
      ),
  },
  {
    rule: 'a command is committed once',
    name: 'an edit was done again',
    apply(run, pick) {
      const { evidence } = run;
      const repeats = lastEvents(run).filter((event) => {
        const before = eventAt(evidence, event.boardId, event.version - 1);
        const [later, earlier] = [commandOf(run, event), before && commandOf(run, before)];
        return (
          event.type === 'BoardEdited' &&
          before?.type === 'BoardEdited' &&
          later?.outcome.kind === 'unknown' &&
          earlier?.ifVersion === null
        );
      });
      return one(pick, repeats, (event) => {
        const before = eventAt(evidence, event.boardId, event.version - 1);
        if (!before) return;
        const { title, content } = stateOf(before);
        for (const state of [
          stateOf(event),
          boardOf(evidence, event.boardId),
          catalogOf(evidence, event.boardId),
        ])
          Object.assign(state ?? {}, { title, content });
      });
    },
  },
  {
    rule: 'a refused command is nowhere',
    name: 'a command that was refused is committed',
    apply: (run, pick) =>
      one(pick, unknownButDone(run), (operation) => {
        operation.outcome = { kind: 'refused', status: null };
      }),
  },
  {
    rule: 'every event was asked for',
    name: 'an event that no client asked for',
    apply: (run, pick) =>
      one(pick, unknownButDone(run), (operation) => {
        run.history.operations = run.history.operations.filter((other) => other !== operation);
      }),
  },
  {
    rule: 'every event was asked for',
    name: 'an edit that was done to another board',
    apply: (run, pick) =>
      one(
        pick,
        unknownButDone(run).filter(({ kind }) => kind === 'edit'),
        (operation) => {
          operation.boardId = 'board-elsewhere';
        },
      ),
  },
  {
    rule: 'every event was asked for',
    name: 'a creation that was done as an edit',
    apply(run, pick) {
      const edits = unknownButDone(run).filter(
        ({ kind, content, boardId }) =>
          kind === 'edit' &&
          content !== null &&
          boardOf(run.evidence, boardId ?? '')?.author === null,
      );
      return one(pick, edits, (operation) => {
        Object.assign(operation, { kind: 'create', boardId: null });
      });
    },
  },
  {
    rule: 'an event carries what was sent',
    name: 'a content that was cut',
    apply: (run, pick) =>
      one(
        pick,
        unknownButDone(run).filter(({ content }) => content !== null),
        (operation) => {
          operation.content += ' and more';
        },
      ),
  },
  {
    rule: 'an event carries what was sent',
    name: 'an author that was lost',
    apply: (run, pick) =>
      one(
        pick,
        unknownButDone(run).filter(({ kind }) => kind === 'create'),
        (operation) => {
          operation.author = 'another';
        },
      ),
  },
  {
    rule: 'If-Match is kept',
    name: 'an edit at another version than demanded',
    apply: (run, pick) =>
      one(
        pick,
        run.history.operations.filter(
          (one) => isText(one) && one.kind === 'edit' && answeredBoard(one),
        ),
        (edit) => {
          edit.ifVersion = (answeredBoard(edit)?.version ?? 0) + 3;
        },
      ),
  },
  {
    rule: 'If-Match is kept',
    name: 'an edit at a newer version than demanded',
    apply: (run, pick) =>
      one(
        pick,
        run.history.operations.filter(
          (operation) => operation.kind === 'edit' && answeredBoard(operation),
        ),
        (edit) => {
          edit.ifVersion = (answeredBoard(edit)?.version ?? 0) - 2;
        },
      ),
  },
  {
    rule: 'versions follow the order of the answers',
    name: 'an edit was answered before its predecessor was sent',
    apply: (run, pick) =>
      one(
        pick,
        run.evidence.outbox.filter(
          (event) => event.version > 1 && commandOf(run, event)?.outcome.kind === 'ok',
        ),
        (event) => {
          for (const attempt of commandOf(run, event)?.attempts ?? [])
            Object.assign(attempt, { sentAt: 1, endedAt: 2 });
        },
      ),
  },
  {
    rule: 'an event carries what was sent',
    name: 'an edit that moved the time of the creation',
    apply(run, pick) {
      const edits = overwrittenEvents(run).filter(({ type }) => type === 'BoardEdited');
      return one(pick, edits, (event) => {
        stateOf(event).createdAt += 1;
      });
    },
  },
  {
    rule: 'an answer is what was committed',
    name: 'an answer with another time',
    apply: ({ history }, pick) =>
      one(
        pick,
        history.operations.flatMap((operation) => answeredBoard(operation) ?? []),
        (board) => {
          board.updatedAt += 1;
        },
      ),
  },
];
