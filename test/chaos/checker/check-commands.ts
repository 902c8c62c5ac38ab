import type { Attempt, ClientOperation } from '../history.ts';
import type { BoardState, OutboxRow } from './evidence.ts';
import { stateOf, type RunIndex } from './index-run.ts';
import type { Finding, Rule } from './rule.ts';

const eventTypes = { create: 'BoardCreated', edit: 'BoardEdited', delete: 'BoardDeleted' } as const;

/** The answers that clients got, against what was committed. */
export const commandRules: readonly Rule[] = [
  {
    invariant: 'I1',
    name: 'an acknowledged command is committed',
    evenAmongOthers: true,
    *find({ history, boards }) {
      for (const operation of history.operations) {
        const { kind, boardId, title, key, outcome } = operation;
        if (outcome.kind !== 'ok') continue;
        if (kind !== 'delete' && outcome.board === null) {
          yield about(
            boardId,
            undefined,
            `the ${kind} ${key} was acknowledged, and the answer has no board`,
          );
          continue;
        }
        const id = outcome.board?.id ?? boardId ?? '';
        const events = boards.get(id)?.events ?? [];
        if (kind === 'delete') {
          if (!events.some(({ type }) => type === eventTypes.delete))
            yield about(
              id,
              undefined,
              `the delete ${key} was acknowledged, and the outbox has no BoardDeleted of it`,
            );
          continue;
        }
        const version = outcome.board?.version;
        const event = events.find((one) => one.version === version);
        if (event === undefined || (stateOf(event)?.title ?? title) !== title)
          yield about(
            id,
            event,
            `the ${kind} ${key} was acknowledged as version ${version}, and the outbox has ${describe(event)} there`,
          );
      }
    },
  },
  {
    invariant: 'I1',
    name: 'a board is deleted for one client only',
    evenAmongOthers: true,
    *find({ boards }) {
      for (const { id, operations } of boards.values()) {
        const deletes = operations.filter(
          ({ kind, outcome }) => kind === 'delete' && outcome.kind === 'ok',
        );
        if (deletes.length > 1)
          yield about(
            id,
            undefined,
            `${deletes.length} deletes were acknowledged: ${listKeys(deletes)}`,
          );
      }
    },
  },
  {
    invariant: 'I1',
    name: 'an answer is what was committed',
    evenAmongOthers: true,
    *find({ history, boards }) {
      for (const { kind, key, outcome, title } of history.operations) {
        if (outcome.kind !== 'ok' || outcome.board === null) continue;
        const { board } = outcome;
        const event = boards.get(board.id)?.events.find(({ version }) => version === board.version);
        const state = event && stateOf(event);
        // Another event in its place is for the first rule.
        if (state === undefined || state.title !== title) continue;
        const wrong = differences(board, state, answeredFields);
        if (wrong.length > 0)
          yield about(
            board.id,
            event,
            `the ${kind} ${key} was answered otherwise than committed: ${wrong.join('; ')}`,
          );
      }
    },
  },
  {
    invariant: 'I3',
    name: 'a command is committed once',
    evenAmongOthers: true,
    *find({ history, eventsByTitle }) {
      for (const { key, title, kind } of history.operations) {
        const events = title === null ? [] : (eventsByTitle.get(title) ?? []);
        if (events.length > 1)
          yield about(
            events[0]?.boardId ?? null,
            events[1],
            `the ${kind} ${key} was committed ${events.length} times: ${events.map(describe).join(', ')}`,
          );
      }
    },
  },
  {
    invariant: 'I2',
    name: 'a refused command is nowhere',
    evenAmongOthers: true,
    *find(run) {
      for (const { id, event, operation } of eachEvent(run)) {
        if (operation?.outcome.kind !== 'refused') continue;
        const { kind, key, outcome } = operation;
        yield about(
          id,
          event,
          `the ${kind} ${key} was refused (${outcome.status}), and the outbox has ${describe(event)}`,
        );
      }
    },
  },
  {
    invariant: 'I2',
    name: 'every event was asked for',
    evenAmongOthers: true,
    *find(run) {
      for (const { id, event, operation } of eachEvent(run)) {
        if (stateOf(event) === undefined) continue;
        const isAsked =
          operation !== undefined &&
          eventTypes[operation.kind] === event.type &&
          (operation.boardId === null || operation.boardId === id);
        if (!isAsked)
          yield about(
            id,
            event,
            `${describe(event)} with the title ${stateOf(event)?.title} ` +
              (operation === undefined
                ? 'belongs to no command'
                : `is not what the ${operation.kind} ${operation.key} asked for`),
          );
      }
    },
  },
  {
    invariant: 'I5',
    name: 'an event carries what was sent',
    evenAmongOthers: true,
    *find(run) {
      for (const { id, event, operation, before } of eachEvent(run)) {
        const state = stateOf(event);
        const isItsOwn = operation && eventTypes[operation.kind] === event.type;
        const expected = state && isItsOwn && expect(state, operation, before && stateOf(before));
        const wrong = expected ? differences(state, expected) : [];
        if (wrong.length > 0)
          yield about(id, event, `${describe(event)} is not what was sent: ${wrong.join('; ')}`);
      }
    },
  },
  {
    invariant: 'I4',
    name: 'If-Match is kept',
    evenAmongOthers: true,
    *find(run) {
      for (const { id, event, operation } of eachEvent(run)) {
        // Whose delete it was is not sure unless one was acknowledged.
        if (
          operation === undefined ||
          (operation.kind === 'delete' && operation.outcome.kind !== 'ok')
        )
          continue;
        const { ifVersion, kind, key } = operation;
        if (ifVersion !== null && event.version !== ifVersion + 1)
          yield about(
            id,
            event,
            `the ${kind} ${key} demanded version ${ifVersion} and became version ${event.version}`,
          );
      }
    },
  },
  {
    invariant: 'I4',
    name: 'versions follow the order of the answers',
    evenAmongOthers: true,
    *find(run) {
      let latest: { readonly sentAt: number; readonly event: OutboxRow } | undefined;
      for (const { id, event, operation, before } of eachEvent(run)) {
        if (before === undefined) latest = undefined;
        // Whose delete it was is not sure unless one was acknowledged.
        if (
          operation === undefined ||
          (operation.kind === 'delete' && operation.outcome.kind !== 'ok')
        )
          continue;
        const endedAt = answeredAt(operation);
        if (latest !== undefined && endedAt !== undefined && endedAt < latest.sentAt)
          yield about(
            id,
            event,
            `version ${event.version} was answered at ${endedAt}, before version ${latest.event.version} was sent at ${latest.sentAt}`,
          );
        const sentAt = operation.attempts[0]?.sentAt;
        if (sentAt !== undefined && (latest === undefined || sentAt > latest.sentAt))
          latest = { sentAt, event };
      }
    },
  },
];

interface EventOfBoard {
  readonly id: string;
  readonly event: OutboxRow;
  readonly operation: ClientOperation | undefined;
  /** The event of the version before, or undefined. */
  readonly before: OutboxRow | undefined;
}

function* eachEvent(run: RunIndex): Generator<EventOfBoard> {
  for (const { id, events } of run.boards.values())
    for (const [index, event] of events.entries())
      yield { id, event, operation: run.operationOf(event), before: events[index - 1] };
}

/**
 * The state that an operation leaves; undefined where the predecessor is not known, which another
 * rule reports.
 */
function expect(
  state: BoardState,
  { kind, content, author }: ClientOperation,
  before: BoardState | undefined,
) {
  if (kind === 'create')
    return {
      ...state,
      content: content ?? '',
      author,
      updatedAt: state.createdAt,
      deletedAt: null,
    };
  if (before === undefined) return undefined;
  // Instances have clocks of their own: a board's time does not run backwards.
  const updatedAt = Math.max(before.updatedAt, state.updatedAt);
  if (kind === 'delete')
    return { ...before, version: state.version, updatedAt, deletedAt: updatedAt };
  const { author: kept, createdAt } = before;
  return {
    ...state,
    content: content ?? before.content,
    author: kept,
    createdAt,
    updatedAt,
    deletedAt: null,
  };
}

const answeredFields = [
  'id',
  'version',
  'title',
  'content',
  'author',
  'createdAt',
  'updatedAt',
] as const;
const storedFields = [...answeredFields, 'deletedAt'] as const;

/** Each field that differs, with both values. */
export function differences(
  got: Partial<BoardState>,
  expected: Partial<BoardState>,
  fields: readonly (keyof BoardState)[] = storedFields,
): string[] {
  return fields
    .filter((field) => got[field] !== expected[field])
    .map((field) => `${field} is ${show(got[field])}, not ${show(expected[field])}`);
}

export function about(
  boardId: string | null,
  event: OutboxRow | undefined,
  sentence: string,
): Finding {
  return {
    boardId,
    eventId: event?.id ?? null,
    sentence: boardId === null ? sentence : `board ${boardId}: ${sentence}`,
  };
}

export function describe(event: OutboxRow | undefined): string {
  return event === undefined ? 'nothing' : `${event.type} ${event.version} (${event.id})`;
}

function show(value: string | number | null | undefined): string {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 80 ? `${text.slice(0, 80)}... (${text.length} characters)` : text;
}

function listKeys(operations: readonly ClientOperation[]): string {
  return operations.map(({ key }) => key).join(', ');
}

export const isSuccess = ({ result }: Attempt): boolean =>
  result?.kind === 'answered' && result.status >= 200 && result.status < 300;

/** When the client knew that it was done. */
function answeredAt({ attempts, outcome }: ClientOperation): number | undefined {
  return outcome.kind === 'ok' ? (attempts.find(isSuccess)?.endedAt ?? undefined) : undefined;
}

/** The first was answered before the last request of the other was sent. */
export function isBefore(one: ClientOperation, other: ClientOperation): boolean {
  const endedAt = answeredAt(one);
  const sentAt = other.attempts.at(-1)?.sentAt;
  return endedAt !== undefined && sentAt !== undefined && endedAt < sentAt;
}
