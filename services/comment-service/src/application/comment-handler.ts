import type { CommentEvent } from '@board/contracts';
import { InvalidEventError, type Handler } from '@board/inbox';

/** A comment that was added and not removed. */
interface Comment {
  readonly id: string;
  readonly boardId: string;
  readonly text: string;
  readonly author: string | null;
  readonly createdAt: Date;
}

/** Writes inside a transaction `Tx` that belongs to the inbox; not idempotent. */
export interface CommentWriter<Tx> {
  add(tx: Tx, comment: Comment): Promise<void>;
  remove(tx: Tx, id: string, boardId: string): Promise<void>;
}

interface CommentPage {
  /** Of the whole board, not of the page. */
  readonly count: number;
  /** Oldest first. */
  readonly comments: readonly Comment[];
  /** The id to go on from, or null when this is the last page. */
  readonly next: string | null;
}

/** Reads the comments for the HTTP edge. */
export interface CommentReader {
  /**
   * The comments of a board after the id `after`, at most `limit`. Throws UnavailableError when the
   * database cannot be asked now.
   */
  list(boardId: string, after: string, limit: number): Promise<CommentPage>;
}

/** Keeps the comments of each board and counts them. */
export function commentHandler(
  comments: CommentWriter<Parameters<Handler<CommentEvent>['handle']>[1]>,
): Handler<CommentEvent> {
  return {
    // A comment cannot be removed before it was added: the removal waits until the first event is
    // applied or skipped.
    afterDeadLetter: 'block',

    async handle({ event, aggregateId, version }, tx) {
      const { type, data } = event;
      if (data.id !== aggregateId || data.version !== version)
        throw new InvalidEventError(
          `the event is version ${data.version} of comment ${data.id}, its headers say ${version} of ${aggregateId}`,
        );
      if (type === 'CommentAdded') {
        const { id, boardId, text, author, createdAt } = data;
        const comment = { id, boardId, text, author, createdAt: new Date(createdAt) };
        await comments.add(tx, comment);
      } else await comments.remove(tx, data.id, data.boardId);
    },
  };
}
