import { createHash } from 'node:crypto';
import { boardLimits } from '../domain/board-limits.ts';
import { checkBoardText, type Violation } from '../domain/check-board-text.ts';
import type { BoardCommand, HandleCommand } from './commands.ts';
import { decideCommand } from './decide-command.ts';
import type { BoardWriter, Sources } from './ports.ts';

/** Ids and time are fixed here, on acceptance; the decision is made later, under the board's lock. */
export function handleCommand(boards: BoardWriter, sources: Sources): HandleCommand {
  return async (command, { traceparent, idempotencyKey, answer }) => {
    const violations = checkText(command);
    if (violations.length > 0) return { kind: 'refused', refusal: { kind: 'invalid', violations } };

    const now = sources.now();
    const isNew = command.kind === 'create';
    const boardId = isNew ? sources.newId() : command.boardId;
    const eventId = sources.newId();
    const outcome = await boards.commit({
      boardId,
      isNew,
      eventId,
      occurredAt: now,
      traceparent,
      key: idempotencyKey === undefined ? undefined : keyOf(idempotencyKey, command),
      decide: (board) => decideCommand(command, board, { boardId, now }),
      answer,
      bytes: estimateBytes(command),
    });
    if (outcome.kind !== 'committed') return outcome;
    return { kind: 'done', board: outcome.board, eventId, answer: answer(outcome.board) };
  };
}

function checkText(command: BoardCommand): readonly Violation[] {
  if (command.kind === 'delete') return [];
  const { title = 'unchanged', content = '' } = command;
  return checkBoardText({ title, content, author: command.kind === 'create' ? command.author : null });
}

/**
 * A key belongs to one command, whatever white space or order of fields it comes with.
 *
 * Only fields that are given count: a later version may know more of them, and a repeat may meet either version.
 */
function keyOf(idempotencyKey: string, command: BoardCommand) {
  const given = Object.entries(command).filter(([, value]) => value !== undefined);
  const sorted = given.toSorted(([one], [other]) => (one < other ? -1 : 1));
  return { hash: sha256(idempotencyKey), fingerprint: sha256(JSON.stringify(sorted)) };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** At most three bytes of UTF-8 a UTF-16 unit; what a command does not name may be as long as any. */
function estimateBytes(command: BoardCommand): number {
  const { title, content } = { title: undefined, content: undefined, ...command };
  const titleBytes = title === undefined ? boardLimits.titleCodePoints * 4 : title.length * 3;
  return 512 + titleBytes + (content === undefined ? boardLimits.contentBytes : content.length * 3);
}
