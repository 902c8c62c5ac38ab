import { createHash } from 'node:crypto';
import { boardTopic, type BoardEvent } from '@board/contracts';
import type { Command, GroupCommit } from '@board/outbox';
import type { Board } from '../domain/board.ts';
import { boardLimits, checkBoardText, type Violation } from '../domain/check-board-text.ts';
import type { Answer, BoardCommand, BoardResult, CommandContext, HandleCommand, Refusal } from './commands.ts';
import { decideCommand } from './decide-command.ts';

export interface HandlerParts {
  readonly commits: Pick<GroupCommit<Board, Refusal>, 'commit'>;
  /** An event in the registry's wire format; throws when it breaks its schema, and UnavailableError while that is not known. */
  readonly encode: (event: BoardEvent) => Buffer;
  readonly now: () => Date;
  /** Gives UUIDv7: under random keys the cost of an insert grows with the table. */
  readonly newId: () => string;
}

/** Refuses bad texts, hands the outbox its command and tells what became of it. */
export function handleCommand(parts: HandlerParts): HandleCommand {
  return async (command, context) => {
    const violations = checkText(command);
    if (violations.length > 0) return refused({ kind: 'invalid', violations });
    const accepted = accept(command, context, parts);
    const outcome = await parts.commits.commit(accepted);
    switch (outcome.kind) {
      case 'committed': {
        const { state: board, answer: kept } = outcome;
        // What was kept with the key is what is sent, now and to every repeat.
        const answer = kept === undefined ? context.answer(board) : readAnswer(kept);
        return { kind: 'done', board, eventId: accepted.eventId, answer };
      }
      case 'repeated':
        return { kind: 'repeated', answer: readAnswer(outcome.answer) };
      case 'refused':
        return refused(outcome.refusal);
      case 'key-running':
      case 'key-reused':
        return refused(outcome);
    }
  };
}

/** Ids and time are fixed here, on acceptance; the decision is made later, under the board's lock. */
function accept(
  command: BoardCommand,
  { traceparent, idempotencyKey, answer }: CommandContext,
  { encode, now, newId }: HandlerParts,
): Command<Board, Refusal> {
  const occurredAt = now();
  const isNew = command.kind === 'create';
  const boardId = isNew ? newId() : command.boardId;
  const eventId = newId();
  const key = idempotencyKey === undefined ? undefined : keyOf(idempotencyKey, command);
  return {
    aggregateId: boardId,
    eventId,
    target: isNew ? 'new' : 'existing',
    bytes: estimateBytes(command),
    key,
    decide(current) {
      const decision = decideCommand(command, current, { boardId, now: occurredAt });
      if (decision.kind === 'refuse') return decision;
      const { board, event } = decision;
      return {
        kind: 'change',
        state: board,
        event: {
          id: eventId,
          aggregateType: boardTopic.name,
          aggregateId: board.id,
          version: board.version,
          // One author's events share a partition; without an author the board is its own, for a null key would scatter its
          // events.
          partitionKey: board.author ?? board.id,
          type: event.type,
          payload: encode(event),
          traceparent,
          occurredAt,
        },
        answer: key && Buffer.from(JSON.stringify(answer(board))),
      };
    },
  };
}

function refused(refusal: Refusal): BoardResult {
  return { kind: 'refused', refusal };
}

/** As `accept` writes it, in this version or an earlier one. */
function readAnswer(kept: Buffer): Answer {
  return JSON.parse(kept.toString()) as Answer;
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
