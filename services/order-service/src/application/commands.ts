import type { Board } from '../domain/board.ts';
import type { Violation } from '../domain/check-board-text.ts';

/** Texts are as they came in: not checked yet. */
interface CreateBoard {
  readonly kind: 'create';
  readonly title: string;
  readonly content: string;
  readonly author: string | null;
}

export interface EditBoard {
  readonly kind: 'edit';
  readonly boardId: string;
  readonly title?: string | undefined;
  readonly content?: string | undefined;
  /** The versions that the client takes for current; undefined: any. An empty list never matches. */
  readonly ifVersions?: readonly number[] | undefined;
}

export interface DeleteBoard {
  readonly kind: 'delete';
  readonly boardId: string;
  readonly ifVersions?: readonly number[] | undefined;
}

/** An order from outside to change one board. */
export type BoardCommand = CreateBoard | EditBoard | DeleteBoard;

/** What a client is told; kept with its idempotency key, so that a repeat gets it byte for byte. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface CommandContext {
  /** W3C trace context of the request. */
  readonly traceparent: string;
  readonly idempotencyKey?: string | undefined;
  /** The answer to the board as the command leaves it; pure, as it is made before COMMIT and sent after it. */
  readonly answer: (board: Board) => Answer;
}

export type Refusal =
  | { readonly kind: 'invalid'; readonly violations: readonly Violation[] }
  | { readonly kind: 'missing' }
  | { readonly kind: 'deleted' }
  /** The board has another version than those that the client takes for current. */
  | { readonly kind: 'stale'; readonly version: number }
  /** The first request with this idempotency key has no answer yet. */
  | { readonly kind: 'key-running' }
  /** The idempotency key came with another command before. */
  | { readonly kind: 'key-reused' };

export type BoardResult =
  /** Committed, with its event. */
  | { readonly kind: 'done'; readonly board: Board; readonly eventId: string; readonly answer: Answer }
  /** The first answer of this idempotency key. */
  | { readonly kind: 'repeated'; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Throws UnavailableError when the command was not done, or when it is not known whether it was. */
export type HandleCommand = (command: BoardCommand, context: CommandContext) => Promise<BoardResult>;
