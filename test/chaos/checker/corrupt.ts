import type { ClientOperation } from '../history.ts';
import type { BoardState, Evidence, OutboxRow } from './evidence.ts';
import type { MadeUpRun, Mutable } from './made-up-parts.ts';

/** One thing that goes wrong in a run which was good. */
export interface Corruption {
  /** The only rule that it breaks. */
  readonly rule: string;
  readonly name: string;
  /**
   * Changes the run; false where the run has nothing that it could happen to. `pick` chooses one of
   * those that it could.
   */
  apply(run: MadeUpRun, pick: Pick): boolean;
}

export type Pick = <Item>(items: readonly Item[]) => Item | undefined;

export type Operation = Mutable<ClientOperation>;
export type Event = Mutable<OutboxRow>;

/** Changes one of the candidates; false without any. */
export function one<Item>(
  pick: Pick,
  candidates: readonly Item[],
  change: (item: Item) => void,
): boolean {
  const item = pick(candidates);
  if (item === undefined) return false;
  change(item);
  return true;
}

export const stateOf = (event: Event): Mutable<BoardState> => event.event as Mutable<BoardState>;
export const isText = ({ kind }: Operation): boolean => kind !== 'delete';
export const answeredTwice = ({ attempts }: Operation): boolean =>
  attempts.length > 1 && attempts.every(({ result }) => result?.kind === 'answered');
export const answeredBoard = ({ outcome }: Operation) =>
  outcome.kind === 'ok' ? outcome.board : null;

/** Events that are not behind a dead letter, nor one. */
export function appliedEvents({ evidence }: MadeUpRun): Event[] {
  const marks = new Map(evidence.marks.map(({ boardId, version }) => [boardId, version]));
  return evidence.outbox.filter(({ boardId, version }) => version <= (marks.get(boardId) ?? 0));
}

/** Of boards without dead letters. */
export function lastEvents(run: MadeUpRun): Event[] {
  return appliedEvents(run).filter(
    ({ boardId, version }) => boardOf(run.evidence, boardId)?.version === version,
  );
}

/**
 * Neither the last of its board nor the last that is applied, and no client got an answer with it.
 */
export function overwrittenEvents(run: MadeUpRun): Event[] {
  const marks = new Map(run.evidence.marks.map(({ boardId, version }) => [boardId, version]));
  return run.evidence.outbox.filter(
    (event) =>
      commandOf(run, event)?.outcome.kind === 'unknown' &&
      eventAt(run.evidence, event.boardId, event.version + 1) !== undefined &&
      event.version !== marks.get(event.boardId),
  );
}

export const boardOf = ({ boards }: Mutable<Evidence>, id: string) =>
  boards.find((board) => board.id === id);
export const catalogOf = ({ catalog }: Mutable<Evidence>, id: string) =>
  catalog.find((row) => row.id === id);
export const markOf = ({ marks }: Mutable<Evidence>, id: string) =>
  marks.find((mark) => mark.boardId === id);
export const eventAt = ({ outbox }: Mutable<Evidence>, id: string, version: number) =>
  outbox.find((event) => event.boardId === id && event.version === version);

/** The command that set the event's title. */
export function commandOf({ history }: MadeUpRun, event: Event): Operation | undefined {
  return event.type === 'BoardDeleted'
    ? undefined
    : history.operations.find(({ title }) => title === stateOf(event).title);
}

export function unknownButDone(run: MadeUpRun): Operation[] {
  return run.evidence.outbox.flatMap((event) => {
    const operation = commandOf(run, event);
    return operation?.outcome.kind === 'unknown' ? [operation] : [];
  });
}

export const notDone = ({ history }: MadeUpRun): Operation[] =>
  history.operations.filter(
    ({ outcome, boardId }) =>
      boardId !== null && outcome.kind === 'refused' && outcome.status === null,
  );

export const isOf =
  (id: string) =>
  ({ headers }: { readonly headers: Readonly<Record<string, string | null>> }): boolean =>
    headers['id'] === id;

export const origins = (row: {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}) => ({
  'inbox-reason': 'no-identity',
  'kafka_dlt-original-topic': row.topic,
  'kafka_dlt-original-partition': String(row.partition),
  'kafka_dlt-original-offset': String(row.offset),
});

export const noBoard = {
  version: 1,
  title: 'none',
  content: '',
  author: null,
  createdAt: 0,
  updatedAt: 0,
  deletedAt: null,
};
export const nowhere = { topic: 'board', partition: 0, offset: 1_000_000 };
export const bareRecord = {
  ...nowhere,
  appendedAt: 0,
  key: null,
  digest: null,
  headers: {},
  foreignId: null,
};
export const foreignDeadLetter = {
  boardId: null,
  version: null,
  eventId: null,
  reason: 'no-identity',
  error: 'no id',
  closedBy: null,
  ...nowhere,
  lastOffset: nowhere.offset,
};
