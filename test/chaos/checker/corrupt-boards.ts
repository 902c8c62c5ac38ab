import {
  type Corruption,
  boardOf,
  catalogOf,
  commandOf,
  isOf,
  lastEvents,
  markOf,
  noBoard,
  nowhere,
  one,
  overwrittenEvents,
  stateOf,
} from './corrupt.ts';

/** What breaks the rules of check-boards.ts, each a single one. */
export const boardsCorruptions: readonly Corruption[] = [
  {
    rule: 'a payload can be read',
    name: 'a payload that is cut',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.outbox, (event) => {
        event.event = { problem: 'ends too early' };
      }),
  },
  {
    rule: 'the events of a board are numbered without a gap',
    name: 'a version was left out',
    apply(run, pick) {
      const { evidence } = run;
      const last = lastEvents(run).filter((event) => {
        const operation = commandOf(run, event);
        return (
          event.version > 1 && operation?.outcome.kind === 'unknown' && operation.ifVersion === null
        );
      });
      return one(pick, last, (event) => {
        const { boardId, id } = event;
        const raised = [
          event,
          stateOf(event),
          boardOf(evidence, boardId),
          catalogOf(evidence, boardId),
          markOf(evidence, boardId),
        ];
        for (const row of raised) if (row) row.version += 1;
        const row = catalogOf(evidence, boardId);
        if (row) row.appliedCount += 1;
        for (const record of evidence.source.filter(isOf(id)))
          record.headers['version'] = String(event.version);
      });
    },
  },
  {
    rule: 'the events of a board are numbered without a gap',
    name: 'a board that begins with an edit',
    apply: (run, pick) =>
      one(
        pick,
        run.evidence.outbox.filter(
          (event) =>
            event.type === 'BoardCreated' && commandOf(run, event)?.outcome.kind === 'unknown',
        ),
        (event) => {
          Object.assign(commandOf(run, event) ?? {}, { kind: 'edit', boardId: event.boardId });
          event.type = 'BoardEdited';
          for (const record of run.evidence.source.filter(isOf(event.id)))
            record.headers['eventType'] = 'BoardEdited';
        },
      ),
  },
  {
    rule: 'the events of a board are numbered without a gap',
    name: 'an edit that was done to a deleted board',
    apply(run, pick) {
      const { history, evidence } = run;
      const deletes = lastEvents(run).filter(({ type }) => type === 'BoardDeleted');
      return one(pick, deletes, (event) => {
        const { boardId, version } = event;
        const edit = {
          title: `${history.run.titlePrefix}too late`,
          version: version + 1,
          deletedAt: null,
        };
        const asked = {
          kind: 'edit',
          boardId,
          title: edit.title,
          content: null,
          author: null,
          ifVersion: null,
        } as const;
        history.operations.push({
          ...asked,
          key: 'too late',
          client: 1,
          attempts: [],
          isAbandoned: true,
          outcome: { kind: 'unknown' },
        });
        const state = { ...stateOf(event), ...edit };
        const row = {
          ...event,
          id: 'too late',
          version: edit.version,
          type: 'BoardEdited',
          event: state,
        };
        evidence.outbox.push(row);
        const record = evidence.source.find(isOf(event.id));
        const headers = { id: row.id, eventType: row.type, version: String(row.version) };
        if (record)
          evidence.source.push({
            ...record,
            offset: nowhere.offset,
            headers: { ...record.headers, ...headers },
          });
        Object.assign(boardOf(evidence, boardId) ?? {}, edit);
        Object.assign(catalogOf(evidence, boardId) ?? {}, edit, { appliedCount: edit.version });
        Object.assign(markOf(evidence, boardId) ?? {}, { version: edit.version, eventId: row.id });
      });
    },
  },
  {
    rule: 'the events of a board are numbered without a gap',
    name: 'an event whose payload has another version',
    apply(run, pick) {
      return one(pick, overwrittenEvents(run), (event) => {
        stateOf(event).version += 50;
      });
    },
  },
  {
    rule: 'the partition key is the author, or the board',
    name: 'an event with another partition key',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.outbox, (event) => {
        event.partitionKey = `other ${event.id}`;
        for (const record of evidence.source.filter(isOf(event.id)))
          record.key = event.partitionKey;
      }),
  },
  {
    rule: 'a board is what its last event says',
    name: 'an event without its board',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.boards, (board) => {
        evidence.boards = evidence.boards.filter((row) => row !== board);
      }),
  },
  {
    rule: 'a board is what its last event says',
    name: 'a board without any event',
    apply({ evidence }) {
      evidence.boards.push({ ...noBoard, id: 'alone' });
      return true;
    },
  },
  {
    rule: 'a board is what its last event says',
    name: 'a board at an older version than its event',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.boards, (board) => {
        board.version -= 1;
      }),
  },
  {
    rule: 'a board is what its last event says',
    name: 'a deleted board that is still there',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.boards.filter(({ deletedAt }) => deletedAt !== null),
        (board) => {
          board.deletedAt = null;
        },
      ),
  },
  {
    rule: 'a board is what its last event says',
    name: 'a board with another time',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.boards, (board) => {
        board.updatedAt += 1;
      }),
  },
];
