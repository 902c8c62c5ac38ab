import type { BoardEvent } from '@board/contracts';
import type { Board } from '../domain/board.ts';
import type { Answer, Refusal } from './commands.ts';

/** A board after a change, and the event that tells of the change: they are stored together or not at all. */
export interface BoardChange {
  readonly kind: 'change';
  readonly board: Board;
  readonly event: BoardEvent;
}

export type BoardDecision = BoardChange | { readonly kind: 'refuse'; readonly refusal: Refusal };

/** A command, ready to be decided on while the board's row is locked. */
export interface BoardOrder {
  readonly boardId: string;
  readonly isNew: boolean;
  readonly eventId: string;
  readonly occurredAt: Date;
  readonly traceparent: string;
  /** SHA-256 of the client's key and of the command. */
  readonly key?: { readonly hash: Buffer; readonly fingerprint: Buffer } | undefined;
  /** Pure: runs again when its transaction does. */
  readonly decide: (board: Board | undefined) => BoardDecision;
  readonly answer: (board: Board) => Answer;
  /** Upper bound of the texts' size. */
  readonly bytes: number;
}

export type BoardOutcome =
  | { readonly kind: 'committed'; readonly board: Board }
  | { readonly kind: 'repeated'; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export interface BoardWriter {
  /** Resolves after COMMIT; throws UnavailableError when the order was not carried out, or when nobody can tell. */
  commit(order: BoardOrder): Promise<BoardOutcome>;
}

interface BoardPage {
  readonly boards: readonly Board[];
  /** The id to go on from, or null when this is the last page. */
  readonly next: string | null;
}

export interface BoardReader {
  /** Deleted ones too. Throws UnavailableError when the database cannot be asked now. */
  find(id: string): Promise<Board | undefined>;
  /** Newest first, without deleted ones, at most `limit` and fewer when they are long; `before` is the `next` of the page before. */
  list(page: { readonly before?: string | undefined; readonly limit: number }): Promise<BoardPage>;
}

/** Where time and identity come from. */
export interface Sources {
  now(): Date;
  /** A UUIDv7: under random keys the cost of an insert grows with the table. */
  newId(): string;
}
