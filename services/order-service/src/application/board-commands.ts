// Flow 2/9: command becomes board + event
import { boardAggregate, type BoardEvent, type BoardState } from '@board/contracts';
import {
  boardLimits,
  checkBoardText,
  createBoard,
  deleteBoard,
  editBoard,
  type Board,
} from '../domain/board.ts';
import type { Violation } from '../domain/check-text.ts';
import type { Refusal } from './ports.ts';
import type { AggregateCommands, Decision } from './handle-command.ts';

/** Its texts are not checked yet. */
interface CreateBoard {
  readonly kind: 'create';
  readonly title: string;
  readonly content: string;
  readonly author: string | null;
}

interface EditBoard {
  readonly kind: 'edit';
  readonly boardId: string;
  readonly title?: string | undefined;
  readonly content?: string | undefined;
  /** The versions that the client expects; undefined: any. An empty list never matches. */
  readonly ifVersions?: readonly number[] | undefined;
}

interface DeleteBoard {
  readonly kind: 'delete';
  readonly boardId: string;
  readonly ifVersions?: readonly number[] | undefined;
}

/** A client's request to change one board. */
export type BoardCommand = CreateBoard | EditBoard | DeleteBoard;

/** How the commands of a board differ from those of other aggregates. */
export const boardCommands: AggregateCommands<BoardCommand, Board> = {
  aggregateType: boardAggregate.type,
  idOf: (command) => (command.kind === 'create' ? undefined : command.boardId),
  check: checkText,
  bytesOf: estimateBytes,
  // The events of an author's boards share a partition. Without an author the key is the board's
  // id, because a null key would scatter its events.
  partitionKeyOf: ({ author, id }) => author ?? id,
  decide: decideBoard,
};

/** Decides under the lock of the board's row, on its current state. */
function decideBoard(
  command: BoardCommand,
  board: Board | undefined,
  { id, now }: { readonly id: string; readonly now: Date },
): Decision<Board> {
  if (command.kind === 'create') {
    const created = createBoard(id, command, now);
    return change(created, { type: 'BoardCreated', data: stateOf(created) });
  }
  if (!board) return refuse({ kind: 'missing' });
  if (board.deletedAt) return refuse({ kind: 'deleted' });
  if (!matches(command, board)) return refuse({ kind: 'stale', version: board.version });
  if (command.kind === 'edit') {
    const edited = editBoard(board, command, now);
    return change(edited, { type: 'BoardEdited', data: stateOf(edited) });
  }
  const deleted = deleteBoard(board, now);
  const data = { ...stateOf(deleted), deletedAt: deleted.updatedAt.getTime() };
  return change(deleted, { type: 'BoardDeleted', data });
}

function change(state: Board, event: BoardEvent): Decision<Board> {
  return { kind: 'change', state, event };
}

function refuse(refusal: Refusal): Decision<Board> {
  return { kind: 'refuse', refusal };
}

/** Without expected versions the last write wins. */
function matches({ ifVersions }: EditBoard | DeleteBoard, { version }: Board): boolean {
  return ifVersions === undefined || ifVersions.includes(version);
}

function stateOf(board: Board): BoardState {
  const { id, version, title, content, author } = board;
  return {
    id,
    version,
    title,
    content,
    author,
    createdAt: board.createdAt.getTime(),
    updatedAt: board.updatedAt.getTime(),
  };
}

function checkText(command: BoardCommand): readonly Violation[] {
  if (command.kind === 'delete') return [];
  const { title = 'unchanged', content = '' } = command;
  return checkBoardText({
    title,
    content,
    author: command.kind === 'create' ? command.author : null,
  });
}

/**
 * At most three bytes of UTF-8 for each UTF-16 unit; a text that the command does not name counts
 * as the longest.
 */
function estimateBytes(command: BoardCommand): number {
  const { title, content } = { title: undefined, content: undefined, ...command };
  const titleBytes = title === undefined ? boardLimits.titleCodePoints * 4 : title.length * 3;
  return 512 + titleBytes + (content === undefined ? boardLimits.contentBytes : content.length * 3);
}
