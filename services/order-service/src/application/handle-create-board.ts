// Flow 2/9: command becomes board + event
import { checkBoardText, type Violation } from '../domain/check-board-text.ts';
import type { Board } from '../domain/board.ts';
import { createBoard } from '../domain/create-board.ts';
import { boardCreated } from './board-events.ts';
import type { CreateBoard } from './commands.ts';
import type { BoardWriter, Sources } from './ports.ts';

export type CreateBoardResult =
  | { readonly kind: 'created'; readonly board: Board }
  | { readonly kind: 'refused'; readonly violations: readonly Violation[] };

export type HandleCreateBoard = (command: CreateBoard) => Promise<CreateBoardResult>;

/** Decides on a CreateBoard command; `created` means committed. */
export function handleCreateBoard(boards: BoardWriter, sources: Sources): HandleCreateBoard {
  return async (command) => {
    const violations = checkBoardText(command);
    if (violations.length > 0) return { kind: 'refused', violations };

    const now = sources.now();
    const board = createBoard(command, sources.newId(), now);
    await boards.save({
      board,
      event: boardCreated(board),
      eventId: sources.newId(),
      occurredAt: now,
      traceparent: command.traceparent,
    });
    return { kind: 'created', board };
  };
}
