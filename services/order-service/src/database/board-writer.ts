import type { Command, GroupCommit, OutboxEvent } from '@board/outbox';
import type { Answer, Refusal } from '../application/commands.ts';
import type { BoardChange, BoardOrder, BoardWriter } from '../application/ports.ts';
import type { Board } from '../domain/board.ts';

type ToEvent = (change: BoardChange, order: BoardOrder) => OutboxEvent;

/** Carries out orders together with others; `toEvent` encodes the event with the registered schema. */
export function createBoardWriter(commits: GroupCommit<Board, Refusal>, toEvent: ToEvent): BoardWriter {
  return {
    async commit(order) {
      const outcome = await commits.commit(toCommand(order, toEvent));
      switch (outcome.kind) {
        case 'committed':
          return { kind: 'committed', board: outcome.state };
        case 'repeated':
          return { kind: 'repeated', answer: JSON.parse(outcome.answer.toString()) as Answer };
        case 'refused':
          return outcome;
        case 'key-running':
        case 'key-reused':
          return { kind: 'refused', refusal: outcome };
      }
    },
  };
}

function toCommand(order: BoardOrder, toEvent: ToEvent): Command<Board, Refusal> {
  return {
    aggregateId: order.boardId,
    eventId: order.eventId,
    target: order.isNew ? 'new' : 'existing',
    bytes: order.bytes,
    key: order.key,
    decide(board) {
      const decision = order.decide(board);
      if (decision.kind === 'refuse') return decision;
      return {
        kind: 'change',
        state: decision.board,
        event: toEvent(decision, order),
        answer: order.key && Buffer.from(JSON.stringify(order.answer(decision.board))),
      };
    },
  };
}
