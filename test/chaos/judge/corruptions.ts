import type { BoardState, ClientOperation, Evidence, OutboxRow } from '../history.ts';
import { dayOf } from './check-catalog.ts';
import type { MadeUpRun, Mutable } from './made-up-parts.ts';

/** One thing that goes wrong in a run which was good. */
export interface Corruption {
  /** The only rule that it breaks. */
  readonly rule: string;
  readonly name: string;
  /** Changes the run; false where the run has nothing that it could happen to. `pick` chooses one of those that it could. */
  apply(run: MadeUpRun, pick: Pick): boolean;
}

export type Pick = <Item>(items: readonly Item[]) => Item | undefined;

type Operation = Mutable<ClientOperation>;
type Event = Mutable<OutboxRow>;

/** Changes one of the candidates; false without any. */
function one<Item>(pick: Pick, candidates: readonly Item[], change: (item: Item) => void): boolean {
  const item = pick(candidates);
  if (item === undefined) return false;
  change(item);
  return true;
}

const stateOf = (event: Event): Mutable<BoardState> => event.event as Mutable<BoardState>;
const isText = ({ kind }: Operation): boolean => kind !== 'delete';
const answeredTwice = ({ attempts }: Operation): boolean =>
  attempts.length > 1 && attempts.every(({ result }) => result?.kind === 'answered');
const answeredBoard = ({ outcome }: Operation) => (outcome.kind === 'ok' ? outcome.board : null);

/** Events that are not behind a dead letter, nor one. */
function appliedEvents({ evidence }: MadeUpRun): Event[] {
  const marks = new Map(evidence.marks.map(({ boardId, version }) => [boardId, version]));
  return evidence.outbox.filter(({ boardId, version }) => version <= (marks.get(boardId) ?? 0));
}

/** Of boards without dead letters. */
function lastEvents(run: MadeUpRun): Event[] {
  return appliedEvents(run).filter(({ boardId, version }) => boardOf(run.evidence, boardId)?.version === version);
}

/** Neither the last of its board nor the last that is applied, and no client was told what it says. */
function overwrittenEvents(run: MadeUpRun): Event[] {
  const marks = new Map(run.evidence.marks.map(({ boardId, version }) => [boardId, version]));
  return run.evidence.outbox.filter(
    (event) =>
      commandOf(run, event)?.outcome.kind === 'unknown' &&
      eventAt(run.evidence, event.boardId, event.version + 1) !== undefined &&
      event.version !== marks.get(event.boardId),
  );
}

const boardOf = ({ boards }: Mutable<Evidence>, id: string) => boards.find((board) => board.id === id);
const catalogOf = ({ catalog }: Mutable<Evidence>, id: string) => catalog.find((row) => row.id === id);
const markOf = ({ marks }: Mutable<Evidence>, id: string) => marks.find((mark) => mark.boardId === id);
const eventAt = ({ outbox }: Mutable<Evidence>, id: string, version: number) =>
  outbox.find((event) => event.boardId === id && event.version === version);

/** The command that set the event's title. */
function commandOf({ history }: MadeUpRun, event: Event): Operation | undefined {
  return event.type === 'BoardDeleted'
    ? undefined
    : history.operations.find(({ title }) => title === stateOf(event).title);
}

function unknownButDone(run: MadeUpRun): Operation[] {
  return run.evidence.outbox.flatMap((event) => {
    const operation = commandOf(run, event);
    return operation?.outcome.kind === 'unknown' ? [operation] : [];
  });
}

const notDone = ({ history }: MadeUpRun): Operation[] =>
  history.operations.filter(
    ({ outcome, boardId }) => boardId !== null && outcome.kind === 'refused' && outcome.status === null,
  );

const isOf =
  (id: string) =>
  ({ headers }: { readonly headers: Readonly<Record<string, string | null>> }): boolean =>
    headers['id'] === id;

const origins = (row: { readonly topic: string; readonly partition: number; readonly offset: number }) => ({
  'inbox-reason': 'no-identity',
  'kafka_dlt-original-topic': row.topic,
  'kafka_dlt-original-partition': String(row.partition),
  'kafka_dlt-original-offset': String(row.offset),
});

const noBoard = {
  version: 1,
  title: 'none',
  content: '',
  author: null,
  createdAt: 0,
  updatedAt: 0,
  deletedAt: null,
};
const nowhere = { topic: 'board', partition: 0, offset: 1_000_000 };
const bareRecord = { ...nowhere, appendedAt: 0, key: null, digest: null, headers: {}, foreignId: null };
const foreignDeadLetter = {
  boardId: null,
  version: null,
  eventId: null,
  reason: 'no-identity',
  error: 'no id',
  closedBy: null,
  ...nowhere,
  lastOffset: nowhere.offset,
};

export const corruptions: readonly Corruption[] = [
  {
    rule: 'an acknowledged command is committed',
    name: 'a client was told a version that is not there',
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
      const living = new Set(evidence.boards.flatMap(({ id, deletedAt }) => (deletedAt === null ? [id] : [])));
      const deletes = history.operations.filter(({ kind, boardId }) => kind === 'delete' && living.has(boardId ?? ''));
      return one(pick, deletes, (operation) => {
        operation.outcome = { kind: 'ok', board: null };
      });
    },
  },
  {
    rule: 'a board is deleted for one client only',
    name: 'two deletes of one board were acknowledged',
    apply({ history }, pick) {
      const deleted = history.operations.filter(({ kind, outcome }) => kind === 'delete' && outcome.kind === 'ok');
      const ids = new Set(deleted.map(({ boardId }) => boardId));
      const others = history.operations.filter(
        (operation) => operation.kind === 'delete' && ids.has(operation.boardId) && !deleted.includes(operation),
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
    rule: 'an answer tells what was committed',
    name: 'a client was told another content',
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
    name: 'a client was told success without its board',
    apply: ({ history }, pick) =>
      one(
        pick,
        history.operations.filter((operation) => isText(operation) && answeredBoard(operation)),
        (operation) => {
          operation.outcome = { kind: 'ok', board: null };
        },
      ),
  },
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
        for (const state of [stateOf(event), boardOf(evidence, event.boardId), catalogOf(evidence, event.boardId)])
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
          kind === 'edit' && content !== null && boardOf(run.evidence, boardId ?? '')?.author === null,
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
        run.history.operations.filter((one) => isText(one) && one.kind === 'edit' && answeredBoard(one)),
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
        run.history.operations.filter((operation) => operation.kind === 'edit' && answeredBoard(operation)),
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
        run.evidence.outbox.filter((event) => event.version > 1 && commandOf(run, event)?.outcome.kind === 'ok'),
        (event) => {
          for (const attempt of commandOf(run, event)?.attempts ?? [])
            Object.assign(attempt, { sentAt: 1, endedAt: 2 });
        },
      ),
  },
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
        notDone(run).filter(({ boardId }) => boardOf(run.evidence, boardId ?? '')?.deletedAt === null),
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
        history.operations.filter(({ kind, outcome }) => kind === 'create' && outcome.kind === 'refused'),
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
    name: 'a command that is still running after the drain',
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
        return event.version > 1 && operation?.outcome.kind === 'unknown' && operation.ifVersion === null;
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
        for (const record of evidence.source.filter(isOf(id))) record.headers['version'] = String(event.version);
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
          (event) => event.type === 'BoardCreated' && commandOf(run, event)?.outcome.kind === 'unknown',
        ),
        (event) => {
          Object.assign(commandOf(run, event) ?? {}, { kind: 'edit', boardId: event.boardId });
          event.type = 'BoardEdited';
          for (const record of run.evidence.source.filter(isOf(event.id))) record.headers['eventType'] = 'BoardEdited';
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
        const edit = { title: `${history.run.titlePrefix}too late`, version: version + 1, deletedAt: null };
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
        const row = { ...event, id: 'too late', version: edit.version, type: 'BoardEdited', event: state };
        evidence.outbox.push(row);
        const record = evidence.source.find(isOf(event.id));
        const headers = { id: row.id, eventType: row.type, version: String(row.version) };
        if (record)
          evidence.source.push({ ...record, offset: nowhere.offset, headers: { ...record.headers, ...headers } });
        Object.assign(boardOf(evidence, boardId) ?? {}, edit);
        Object.assign(catalogOf(evidence, boardId) ?? {}, edit, { appliedCount: edit.version });
        Object.assign(markOf(evidence, boardId) ?? {}, { version: edit.version, eventId: row.id });
      });
    },
  },
  {
    rule: 'the events of a board are numbered without a gap',
    name: 'an event whose payload tells another version',
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
        for (const record of evidence.source.filter(isOf(event.id))) record.key = event.partitionKey;
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
    rule: 'every outbox row is in the topic',
    name: 'an event that was not shipped',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.outbox, ({ id }) => {
        evidence.source = evidence.source.filter((record) => !isOf(id)(record));
      }),
  },
  {
    rule: 'every record comes from the outbox',
    name: 'a record of an event that was rolled back',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.source.filter(({ foreignId }) => foreignId === null),
        (record) => {
          evidence.source.push({
            ...record,
            headers: { ...record.headers, id: 'event-rolled-back' },
            offset: nowhere.offset,
          });
        },
      ),
  },
  {
    rule: 'every record comes from the outbox',
    name: 'a record of a board that does not exist',
    apply({ evidence }) {
      const headers = { id: 'event-none', aggregateId: 'board-none', version: '1' };
      evidence.source.push({ ...bareRecord, headers });
      return true;
    },
  },
  {
    rule: 'every record comes from the outbox',
    name: 'a retry of an event that does not exist',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.retries.filter(({ foreignId }) => foreignId === null),
        (record) => {
          record.headers['id'] = 'event-none';
        },
      ),
  },
  {
    rule: 'a record without identity was injected',
    name: 'a record that nothing explains',
    apply({ evidence }) {
      evidence.source.push({ ...bareRecord });
      return true;
    },
  },
  ...(['eventType', 'version', 'occurredAt', 'traceparent'] as const).map((name): Corruption => ({
    rule: 'a record is its outbox row',
    name: `a record with another header ${name}`,
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.source.filter(({ foreignId }) => foreignId === null),
        (record) => {
          record.headers[name] = 'other';
        },
      ),
  })),
  {
    rule: 'a record is its outbox row',
    name: 'a record in the topic of another aggregate type',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.source.filter(({ foreignId }) => foreignId === null),
        (record) => {
          record.topic = 'other';
        },
      ),
  },
  {
    rule: 'a record is its outbox row',
    name: 'a copy that names another board',
    apply({ evidence }, pick) {
      const isCopied = ({ headers }: (typeof evidence.source)[number]): boolean =>
        evidence.source.filter(isOf(headers['id'] ?? '')).length > 1;
      return one(pick, evidence.source.filter(isCopied), (record) => {
        record.headers['aggregateId'] = 'board-elsewhere';
      });
    },
  },
  {
    rule: 'a record is its outbox row',
    name: 'a record with another value',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.source.filter(({ foreignId }) => foreignId === null),
        (record) => {
          record.digest = 'other';
        },
      ),
  },
  {
    rule: 'a record is its outbox row',
    name: 'a record without its key',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.source.filter(({ foreignId }) => foreignId === null),
        (record) => {
          record.key = null;
        },
      ),
  },
  {
    rule: 'a key stays in one partition',
    name: 'a record in another partition than its board',
    apply({ evidence }, pick) {
      const { source } = evidence;
      const shared = source.filter(
        (record) => record.key !== null && source.filter(({ key }) => key === record.key).length > 1,
      );
      return one(pick, shared, (record) => {
        Object.assign(record, { partition: record.partition + 1, offset: nowhere.offset });
      });
    },
  },
  {
    rule: 'the versions of a board come in order',
    name: 'two versions that were shipped in the wrong order',
    apply({ evidence }, pick) {
      const copiesOf = (event: Event | undefined) => evidence.source.filter(isOf(event?.id ?? ''));
      const candidates = evidence.outbox.filter((event) => copiesOf(event).length === 1);
      const pairs = candidates.flatMap((event) => {
        const [next] = copiesOf(eventAt(evidence, event.boardId, event.version + 1));
        const [record] = copiesOf(event);
        return record && next ? [{ record, next }] : [];
      });
      return one(pick, pairs, ({ record }) => {
        record.offset = nowhere.offset;
      });
    },
  },
  {
    rule: 'nothing is applied that was not committed',
    name: 'a catalog row without a board',
    apply({ evidence }) {
      evidence.catalog.push({ ...noBoard, id: 'ghost', appliedCount: 1 });
      return true;
    },
  },
  {
    rule: 'nothing is applied that was not committed',
    name: 'a mark without a board',
    apply({ evidence }) {
      evidence.marks.push({ boardId: 'ghost', version: 1, eventId: 'ghost' });
      return true;
    },
  },
  {
    rule: 'nothing is applied that was not committed',
    name: 'a parked event without a board',
    apply({ evidence }) {
      evidence.parked.push({ boardId: 'ghost', version: 2, eventId: 'ghost' });
      return true;
    },
  },
  {
    rule: 'the mark is the version of the board',
    name: 'an event that was lost on its way to the catalog',
    apply(run, pick) {
      const { evidence } = run;
      return one(
        pick,
        lastEvents(run).filter(({ version }) => version > 1),
        ({ boardId, version }) => {
          const before = eventAt(evidence, boardId, version - 1);
          if (!before) return;
          Object.assign(markOf(evidence, boardId) ?? {}, { version: version - 1, eventId: before.id });
          Object.assign(catalogOf(evidence, boardId) ?? {}, { ...stateOf(before), appliedCount: version - 1 });
        },
      );
    },
  },
  {
    rule: 'the mark is the version of the board',
    name: 'a mark of another event',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.marks.filter(({ version, boardId }) => version > 0 && boardOf(evidence, boardId)),
        (mark) => {
          mark.eventId = 'another';
        },
      ),
  },
  {
    rule: 'the mark is the version of the board',
    name: 'a mark ahead of its board',
    apply: (run, pick) =>
      one(pick, lastEvents(run), ({ boardId }) => {
        const mark = markOf(run.evidence, boardId);
        if (mark) mark.version += 1;
      }),
  },
  ...(['title', 'content', 'author', 'createdAt', 'updatedAt'] as const).map((field): Corruption => ({
    rule: 'a catalog row is its board',
    name: `a catalog row with another ${field}`,
    apply: ({ evidence }, pick) =>
      one(pick, evidence.catalog, (row) => {
        Object.assign(row, { [field]: field.endsWith('At') ? 7 : 'other' });
      }),
  })),
  {
    rule: 'a board is what its last event says',
    name: 'a board with another time',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.boards, (board) => {
        board.updatedAt += 1;
      }),
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
    rule: 'an answer tells what was committed',
    name: 'a client was told another time',
    apply: ({ history }, pick) =>
      one(
        pick,
        history.operations.flatMap((operation) => answeredBoard(operation) ?? []),
        (board) => {
          board.updatedAt += 1;
        },
      ),
  },
  {
    rule: 'a catalog row is its board',
    name: 'a catalog row that is deleted although its board is not, or the reverse',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.catalog, (row) => {
        row.deletedAt = row.deletedAt === null ? 1 : null;
      }),
  },
  {
    rule: 'a catalog row is its board',
    name: 'a mark without its effect',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.catalog, (row) => {
        evidence.catalog = evidence.catalog.filter((other) => other !== row);
      }),
  },
  {
    rule: 'an event is applied once',
    name: 'an event that was applied twice',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.catalog, (row) => {
        row.appliedCount += 1;
      }),
  },
  {
    rule: 'a creation is counted once',
    name: 'a creation that was counted twice',
    apply({ evidence: { createdPerDay } }, pick) {
      return one(pick, Object.keys(createdPerDay), (day) => {
        createdPerDay[day] = (createdPerDay[day] ?? 0) + 1;
      });
    },
  },
  {
    rule: 'a creation is counted once',
    name: 'a creation that was counted on another day',
    apply({ evidence: { createdPerDay } }, pick) {
      return one(pick, Object.keys(createdPerDay), (day) => {
        createdPerDay[day] = (createdPerDay[day] ?? 0) - 1;
        createdPerDay['2001-01-01'] = 1;
      });
    },
  },
  {
    rule: 'nothing stays parked',
    name: 'a parked event behind its mark',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.marks.filter(({ boardId, version }) => version > 0 && boardOf(evidence, boardId)),
        (mark) => {
          evidence.parked.push({ ...mark });
        },
      ),
  },
  {
    rule: 'nothing stays parked',
    name: 'an event that waits for a predecessor which never comes',
    apply: (run, pick) =>
      one(pick, lastEvents(run), ({ boardId, version }) => {
        run.evidence.parked.push({ boardId, version: version + 2, eventId: 'late' });
      }),
  },
  {
    rule: 'what follows a dead letter is parked',
    name: 'a follower of a dead letter that was dropped',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.parked, (row) => {
        evidence.parked = evidence.parked.filter((other) => other !== row);
      }),
  },
  {
    rule: 'what follows a dead letter is parked',
    name: 'another event in the place of a follower',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.parked, (row) => {
        row.eventId = 'another';
      }),
  },
  {
    rule: 'the mark is the version of the board',
    name: 'a dead letter that is closed although its event was never applied',
    apply({ evidence }, pick) {
      const waiting = new Set(evidence.parked.map(({ boardId }) => boardId));
      const alone = evidence.deadLetters.filter(
        ({ eventId, boardId }) => eventId !== null && !waiting.has(boardId ?? ''),
      );
      return one(pick, alone, (row) => {
        row.closedBy = 'dismissed';
      });
    },
  },
  {
    rule: 'nothing is skipped',
    name: 'a version that was skipped',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.marks.filter(({ boardId }) => boardOf(evidence, boardId)),
        ({ boardId, version }) => {
          evidence.skipped.push({ boardId, version: version + 1, decidedBy: 'policy' });
        },
      ),
  },
  {
    rule: 'a foreign record that was acknowledged is stored',
    name: 'an acknowledged record that the topic does not hold',
    apply: ({ history }, pick) =>
      one(
        pick,
        history.foreign.filter(({ topic }) => !topic.includes('.retry.')),
        (foreign) => {
          foreign.acknowledged = foreign.count + 1;
        },
      ),
  },
  {
    rule: 'as many dead letters come from a retry topic as foreign records were acknowledged there',
    name: 'a retry record that was passed over and trimmed',
    apply: ({ history, evidence }, pick) =>
      one(
        pick,
        history.foreign.filter(({ topic, acknowledged }) => topic.includes('.retry.') && acknowledged > 0),
        ({ topic }) => {
          evidence.retries = evidence.retries.filter(({ foreignId }) => foreignId === null);
          evidence.deadLetters = evidence.deadLetters.filter((row) => row.topic !== topic);
          evidence.dlq = evidence.dlq.filter(({ headers }) => headers['kafka_dlt-original-topic'] !== topic);
        },
      ),
  },
  {
    rule: 'a foreign record is a dead letter',
    name: 'a foreign record that was passed over',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.deadLetters.filter(({ eventId }) => eventId === null),
        (row) => {
          evidence.deadLetters = evidence.deadLetters.filter((other) => other !== row);
          evidence.dlq = evidence.dlq.filter(({ headers }) =>
            Object.entries(origins(row)).some(([name, text]) => name !== 'inbox-reason' && headers[name] !== text),
          );
        },
      ),
  },
  {
    rule: 'a dead letter is foreign, or of an event that was refused beyond its attempts',
    name: 'a good event that became a dead letter and was replayed',
    apply: (run, pick) =>
      one(
        pick,
        appliedEvents(run).filter(({ id }) => run.evidence.source.some(isOf(id))),
        ({ id, boardId, version }) => {
          const record = run.evidence.source.find(isOf(id));
          if (!record) return;
          const { topic, partition, offset } = record;
          const what = {
            boardId,
            version,
            eventId: id,
            reason: 'invalid-event',
            error: 'unknown schema',
            closedBy: 'applied',
          };
          run.evidence.deadLetters.push({ ...what, topic, partition, offset, lastOffset: offset });
          run.evidence.dlq.push({ ...record, headers: { ...record.headers, ...origins(record) } });
        },
      ),
  },
  {
    rule: 'a dead letter is foreign, or of an event that was refused beyond its attempts',
    name: 'a refused event that is a dead letter for another reason',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.deadLetters.filter(({ eventId }) => eventId !== null),
        (row) => {
          row.reason = 'unprocessable';
        },
      ),
  },
  {
    rule: 'a dead letter is foreign, or of an event that was refused beyond its attempts',
    name: 'a dead letter of nothing that was injected',
    apply({ evidence }) {
      evidence.deadLetters.push({ ...foreignDeadLetter });
      evidence.dlq.push({ ...bareRecord, topic: 'catalog-service.dlq', headers: origins(nowhere) });
      return true;
    },
  },
  {
    rule: 'a dead letter is foreign, or of an event that was refused beyond its attempts',
    name: 'an event that was given up on too soon',
    apply: ({ history, evidence }, pick) =>
      one(
        pick,
        evidence.deadLetters.filter(({ eventId }) => eventId !== null),
        (row) => {
          for (const refusal of history.refusals)
            if (refusal.boardId === row.boardId && refusal.version === row.version)
              refusal.times = history.run.attempts - 1;
        },
      ),
  },
  {
    rule: 'the DLQ and its index agree',
    name: 'a dead letter that the DLQ does not hold',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.dlq.filter(({ headers }) => 'inbox-reason' in headers),
        (record) => {
          evidence.dlq = evidence.dlq.filter((other) => other !== record);
        },
      ),
  },
  {
    rule: 'the DLQ and its index agree',
    name: 'a dead letter that no alarm knows',
    apply({ evidence }) {
      evidence.dlq.push({ ...bareRecord, topic: 'catalog-service.dlq', headers: origins(nowhere) });
      return true;
    },
  },
  {
    rule: 'nothing is left to read',
    name: 'a record that no group has committed',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.groups, (group) => {
        group.end += 1;
      }),
  },
  {
    rule: 'the stack was quiet in time',
    name: 'a stack that was quiet too late',
    apply({ history: { run } }) {
      if (run.drain) run.drain.quietAt = run.drain.lastFaultEndedAt + run.drain.allowedMs + 1;
      return true;
    },
  },
  {
    rule: 'the stack was quiet in time',
    name: 'a stack that was never quiet',
    apply({ history: { run } }) {
      if (run.drain) run.drain.quietAt = null;
      return true;
    },
  },
  {
    rule: 'the stack was quiet in time',
    name: 'a run that ended early',
    apply({ history: { run } }) {
      run.drain = null;
      return true;
    },
  },
  {
    rule: 'a failed connector is started again',
    name: 'a connector that stayed failed',
    apply({ history: { run } }) {
      if (run.drain) run.drain.failedMs = 41_000;
      return true;
    },
  },
  {
    rule: 'a killed process is ready again in time',
    name: 'a killed process that needed too long',
    apply: ({ history: { faults } }, pick) =>
      one(pick, faults, (fault) => {
        fault.readyAt = (fault.tookAt ?? 0) + 90_001;
      }),
  },
  {
    rule: 'a killed process is ready again in time',
    name: 'a killed process that never came back',
    apply: ({ history: { faults } }, pick) =>
      one(pick, faults, (fault) => {
        fault.readyAt = null;
      }),
  },
];
