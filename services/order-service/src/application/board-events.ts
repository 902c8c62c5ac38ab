import type { BoardCreated, BoardState } from '@board/contracts';
import type { Board } from '../domain/board.ts';

export function boardCreated(board: Board): BoardCreated {
  return { type: 'BoardCreated', data: stateOf(board) };
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
