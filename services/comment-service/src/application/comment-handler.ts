import type { CommentEvent } from '@board/contracts';
import { InvalidEventError, type Handler } from '@board/inbox';

/**
 * Keeps the comments of each board and counts them. The count is the kind of effect that shows a
 * lost or doubled event: it is not idempotent, and need not be.
 */
export const commentHandler: Handler<CommentEvent> = {
  // Removing a comment that was never added makes no sense here: wait until the first is applied or
  // skipped.
  afterDeadLetter: 'block',

  async handle({ event, aggregateId, version }, tx) {
    const { data } = event;
    if (data.id !== aggregateId || data.version !== version)
      throw new InvalidEventError(
        `the event is version ${data.version} of comment ${data.id}, its headers say ${version} of ${aggregateId}`,
      );
    if (event.type === 'CommentAdded') {
      const { id, boardId, text, author, createdAt } = event.data;
      await tx.query('INSERT INTO comment (id, board_id, text, author, created_at) VALUES (?)', [
        [id, boardId, text, author, new Date(createdAt)],
      ]);
      await tx.query(
        'INSERT INTO comments_per_board (board_id, comments) VALUES (?, 1) ON DUPLICATE KEY UPDATE comments = comments + 1',
        [boardId],
      );
    } else {
      const { affectedRows }: { affectedRows: number } = await tx.query(
        'DELETE FROM comment WHERE id = ?',
        [data.id],
      );
      // A comment whose first event was skipped by hand was never counted.
      if (affectedRows === 1)
        await tx.query('UPDATE comments_per_board SET comments = comments - 1 WHERE board_id = ?', [
          data.boardId,
        ]);
    }
  },
};
