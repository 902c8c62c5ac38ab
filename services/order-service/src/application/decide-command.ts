// Flow 2/9: command becomes board + event
import type { Board } from '../domain/board.ts';
import { createBoard, deleteBoard, editBoard } from '../domain/change-board.ts';
import { boardCreated, boardDeleted, boardEdited } from './board-events.ts';
import type { BoardCommand, DeleteBoard, EditBoard } from './commands.ts';
import type { BoardDecision } from './ports.ts';

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

function refuse(refusal: Extract<BoardDecision, { kind: 'refuse' }>['refusal']): BoardDecision {
  return { kind: 'refuse', refusal };
}
