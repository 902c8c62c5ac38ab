import type { BoardEvent, BoardState } from '@board/contracts';
import type { Board } from '../domain/board.ts';

export function boardCreated(board: Board): BoardEvent {
  return { type: 'BoardCreated', data: stateOf(board) };
}

export function boardEdited(board: Board): BoardEvent {
  return { type: 'BoardEdited', data: stateOf(board) };
}

export function boardDeleted(board: Board, deletedAt: Date): BoardEvent {
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
