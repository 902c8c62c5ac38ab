import type { BoardEvent } from '@board/contracts';
import type { Board } from '../domain/board.ts';

/** A board after a change, and the event that tells of the change: they are stored together or not at all. */
export interface BoardChange {
  readonly board: Board;
  readonly event: BoardEvent;
  readonly eventId: string;
  readonly occurredAt: Date;
  readonly traceparent: string | null;
}

export interface BoardWriter {
  /** Resolves when the change is committed; throws UnavailableError when it cannot be now. */
  save(change: BoardChange): Promise<void>;
}

export interface BoardReader {
  /** Throws UnavailableError when the database cannot be asked now. */
  find(id: string): Promise<Board | undefined>;
}

/** Where time and identity come from. */
export interface Sources {
  now(): Date;
  /** A UUIDv7: under random keys the cost of an insert grows with the table. */
  newId(): string;
}
