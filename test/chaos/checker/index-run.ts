import type { ClientOperation, History } from '../history.ts';
import type {
  BoardState,
  CatalogRow,
  DeadLetterRow,
  Evidence,
  MarkRow,
  OutboxRow,
  ParkedRow,
  SkippedRow,
  TopicRecord,
} from './evidence.ts';

/** Everything known about one board. */
export interface BoardFile {
  readonly id: string;
  /** Those that name it, and those whose title one of its events has. */
  readonly operations: ClientOperation[];
  /** By version. */
  events: OutboxRow[];
  row?: BoardState;
  catalog?: CatalogRow;
  mark?: MarkRow;
  readonly parked: ParkedRow[];
  readonly skipped: SkippedRow[];
  /** Of the source topic; foreign ones left out. */
  readonly records: TopicRecord[];
  /** Of the retry topics and the DLQ. */
  readonly routed: TopicRecord[];
  readonly deadLetters: DeadLetterRow[];
}

/** History and evidence, with what belongs together in one place; only what the run answers for. */
export interface RunIndex {
  readonly history: History;
  readonly evidence: Evidence;
  readonly boards: ReadonlyMap<string, BoardFile>;
  readonly operationByTitle: ReadonlyMap<string, ClientOperation>;
  /** Created and edited, by the title that they set. */
  readonly eventsByTitle: ReadonlyMap<string, readonly OutboxRow[]>;
  readonly eventById: ReadonlyMap<string, OutboxRow>;
  /** The operation of an event, where it can be known. */
  operationOf(event: OutboxRow): ClientOperation | undefined;
  /** The handler refused this event so often that it may be a dead letter. */
  isGivenUp(boardId: string | null, version: number | null): boolean;
}

export interface RecordIdentity {
  readonly eventId: string;
  readonly boardId: string;
  readonly version: string;
}

/** Which event a record says it is; undefined for a foreign one and one that does not say it. */
export function identityOf({ headers, foreignId }: TopicRecord): RecordIdentity | undefined {
  const { id, aggregateId, version } = headers;
  if (foreignId !== null || !id || !aggregateId || !version) return undefined;
  return { eventId: id, boardId: aggregateId, version };
}

/** What the payload says; undefined when it cannot be read. */
export function stateOf({ event }: OutboxRow): BoardState | undefined {
  return 'problem' in event ? undefined : event;
}

/** The aggregate of the inbox's self-tests: no event carries it. */
const selfTestId = 'inbox-probe';

/** Throws when the ledger contradicts itself: then nothing can be checked against it. */
export function indexRun(history: History, evidence: Evidence): RunIndex {
  const operationByTitle = indexTitles(history);
  const eventsByTitle = new Map<string, OutboxRow[]>();
  const eventById = new Map<string, OutboxRow>();
  const boards = new Map<string, BoardFile>();
  const isOurs = ownBoards(history, evidence);
  const file = (id: string | null): BoardFile | undefined => {
    if (id === null || !isOurs(id)) return undefined;
    const known = boards.get(id);
    if (known) return known;
    const made: BoardFile = {
      id,
      operations: [],
      events: [],
      parked: [],
      skipped: [],
      records: [],
      routed: [],
      deadLetters: [],
    };
    boards.set(id, made);
    return made;
  };
  const set = <Key extends 'row' | 'catalog' | 'mark'>(
    id: string,
    key: Key,
    value: NonNullable<BoardFile[Key]>,
  ) => {
    const found = file(id);
    if (found) found[key] = value;
  };

  for (const event of evidence.outbox) {
    const found = file(event.boardId);
    if (!found) continue;
    found.events.push(event);
    eventById.set(event.id, event);
    const title = event.type === 'BoardDeleted' ? undefined : stateOf(event)?.title;
    if (title !== undefined) push(eventsByTitle, title, event);
  }
  for (const one of boards.values())
    one.events = one.events.toSorted((a, b) => a.version - b.version);
  for (const operation of history.operations)
    for (const id of boardsOf(operation, eventsByTitle)) file(id)?.operations.push(operation);
  for (const row of evidence.boards) set(row.id, 'row', row);
  for (const row of evidence.catalog) set(row.id, 'catalog', row);
  for (const row of evidence.marks) if (row.boardId !== selfTestId) set(row.boardId, 'mark', row);
  for (const row of evidence.parked) file(row.boardId)?.parked.push(row);
  for (const row of evidence.skipped) file(row.boardId)?.skipped.push(row);
  for (const row of evidence.deadLetters) file(row.boardId)?.deadLetters.push(row);
  for (const record of evidence.source)
    file(identityOf(record)?.boardId ?? null)?.records.push(record);
  for (const record of [...evidence.retries, ...evidence.dlq])
    file(identityOf(record)?.boardId ?? null)?.routed.push(record);

  const givenUp = new Set(
    history.refusals
      .filter(({ times }) => times >= history.run.attempts)
      .map(({ boardId, version }) => `${boardId} ${version}`),
  );
  return {
    history,
    evidence,
    boards,
    operationByTitle,
    eventsByTitle,
    eventById,
    operationOf(event) {
      if (event.type !== 'BoardDeleted') return operationByTitle.get(stateOf(event)?.title ?? '');
      const deletes =
        boards.get(event.boardId)?.operations.filter(({ kind }) => kind === 'delete') ?? [];
      const of = (outcome: string) => deletes.find((one) => one.outcome.kind === outcome);
      return of('ok') ?? of('unknown') ?? of('refused');
    },
    isGivenUp: (boardId, version) => givenUp.has(`${boardId} ${version}`),
  };
}

function indexTitles({ operations, run }: History): Map<string, ClientOperation> {
  const byTitle = new Map<string, ClientOperation>();
  const keys = new Set<string>();
  for (const operation of operations) {
    const { key, kind, title } = operation;
    if (keys.has(key)) throw new Error(`the ledger has two operations with the key ${key}`);
    keys.add(key);
    if (kind === 'delete') continue;
    if (title === null || !title.startsWith(run.titlePrefix))
      throw new Error(
        `the ${kind} ${key} has the title ${title}, which must begin with ${run.titlePrefix}`,
      );
    if (byTitle.has(title))
      throw new Error(`the ledger has two operations with the title ${title}`);
    byTitle.set(title, operation);
  }
  return byTitle;
}

/** Boards that an operation names, that it was answered with, and those that have its title. */
function boardsOf(
  operation: ClientOperation,
  events: ReadonlyMap<string, readonly OutboxRow[]>,
): Set<string> {
  const { boardId, title, outcome } = operation;
  const ids = title === null ? [] : (events.get(title) ?? []).map((event) => event.boardId);
  const answered = outcome.kind === 'ok' && outcome.board ? [outcome.board.id] : [];
  return new Set([...(boardId === null ? [] : [boardId]), ...answered, ...ids]);
}

/**
 * On a stack of its own every board is the run's; else those that its clients know, and those with
 * its titles.
 */
function ownBoards({ run, operations }: History, evidence: Evidence): (id: string) => boolean {
  if (run.alone) return () => true;
  const isOwn = (title: string | undefined): boolean => title?.startsWith(run.titlePrefix) === true;
  const ids = new Set([
    ...operations.flatMap(({ boardId, outcome }) => [
      ...(boardId === null ? [] : [boardId]),
      ...(outcome.kind === 'ok' && outcome.board ? [outcome.board.id] : []),
    ]),
    ...[...evidence.boards, ...evidence.catalog].flatMap(({ id, title }) =>
      isOwn(title) ? [id] : [],
    ),
    ...evidence.outbox.flatMap((event) => (isOwn(stateOf(event)?.title) ? [event.boardId] : [])),
  ]);
  return (id) => ids.has(id);
}

function push<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
