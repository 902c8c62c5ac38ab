// Flow 2/9: command becomes board + event
import type { BoardEvent, BoardState } from '@board/contracts';
import type { Board } from '../domain/board.ts';
import { createBoard, deleteBoard, editBoard } from '../domain/board.ts';
import type { BoardCommand, DeleteBoard, EditBoard, Refusal } from './commands.ts';

/** What a command makes of a board. */
export type BoardDecision =
  /** The board after the change, and the event that tells of the change: they are stored together or not at all. */
  | { readonly kind: 'change'; readonly board: Board; readonly event: BoardEvent }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/** What a command makes of the board as it is now; `boardId` names the new one of a CreateBoard. */
export function decideCommand(
  command: BoardCommand,
  board: Board | undefined,
  { boardId, now }: { readonly boardId: string; readonly now: Date },
): BoardDecision {
  if (command.kind === 'create') {
    const created = createBoard(boardId, command, now);
    return { kind: 'change', board: created, event: boardCreated(created) };
  }
  if (!board) return refuse({ kind: 'missing' });
  if (board.deletedAt) return refuse({ kind: 'deleted' });
  if (!matches(command, board)) return refuse({ kind: 'stale', version: board.version });
  if (command.kind === 'edit') {
    const edited = editBoard(board, command, now);
    return { kind: 'change', board: edited, event: boardEdited(edited) };
  }
  const deleted = deleteBoard(board, now);
  return { kind: 'change', board: deleted, event: boardDeleted(deleted, deleted.updatedAt) };
}

/** Without a wish the last write wins: it is decided under the row's lock, on the newest state. */
function matches({ ifVersions }: EditBoard | DeleteBoard, { version }: Board): boolean {
  return ifVersions === undefined || ifVersions.includes(version);
}

function refuse(refusal: Refusal): BoardDecision {
  return { kind: 'refuse', refusal };
}

function boardCreated(board: Board): BoardEvent {
  return { type: 'BoardCreated', data: stateOf(board) };
}

function boardEdited(board: Board): BoardEvent {
  return { type: 'BoardEdited', data: stateOf(board) };
}

function boardDeleted(board: Board, deletedAt: Date): BoardEvent {
  return { type: 'BoardDeleted', data: { ...stateOf(board), deletedAt: deletedAt.getTime() } };
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
