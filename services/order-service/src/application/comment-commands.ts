import { commentAggregate, type CommentEvent } from '@board/contracts';
import { checkComment, type Comment } from '../domain/comment.ts';
import type { AggregateCommands, Decision } from './handle-command.ts';

/** Its texts are not checked yet. */
interface AddComment {
  readonly kind: 'add-comment';
  readonly boardId: string;
  readonly text: string;
  readonly author: string | null;
}

interface RemoveComment {
  readonly kind: 'remove-comment';
  readonly commentId: string;
  /** The versions that the client expects; undefined: any. */
  readonly ifVersions?: readonly number[] | undefined;
}

/** A client's request to change one comment. */
export type CommentCommand = AddComment | RemoveComment;

/** How the commands of a comment differ from those of other aggregates. */
export const commentCommands: AggregateCommands<CommentCommand, Comment> = {
  aggregateType: commentAggregate.type,
  idOf: (command) => (command.kind === 'add-comment' ? undefined : command.commentId),
  check: (command) => (command.kind === 'add-comment' ? checkComment(command) : []),
  // At most three bytes of UTF-8 for each UTF-16 unit.
  bytesOf: (command) => 512 + (command.kind === 'add-comment' ? command.text.length * 3 : 0),
  // The comments of a board share a partition, so they arrive in about their order of creation.
  partitionKeyOf: ({ boardId }) => boardId,
  decide: decideComment,
};

/** Decides under the lock of the comment's row, on its current state. */
function decideComment(
  command: CommentCommand,
  comment: Comment | undefined,
  { id, now }: { readonly id: string; readonly now: Date },
): Decision<Comment> {
  if (command.kind === 'add-comment') {
    const { boardId, text, author } = command;
    const added: Comment = {
      id,
      version: 1,
      boardId,
      text,
      author,
      createdAt: now,
      deletedAt: null,
    };
    return change(added, {
      type: 'CommentAdded',
      data: { id, version: 1, boardId, text, author, createdAt: now.getTime() },
    });
  }
  if (!comment) return { kind: 'refuse', refusal: { kind: 'missing' } };
  if (comment.deletedAt) return { kind: 'refuse', refusal: { kind: 'deleted' } };
  if (command.ifVersions !== undefined && !command.ifVersions.includes(comment.version))
    return { kind: 'refuse', refusal: { kind: 'stale', version: comment.version } };
  const removed = { ...comment, version: comment.version + 1, deletedAt: now };
  const { version, boardId } = removed;
  return change(removed, {
    type: 'CommentRemoved',
    data: { id, version, boardId, removedAt: now.getTime() },
  });
}

function change(state: Comment, event: CommentEvent): Decision<Comment> {
  return { kind: 'change', state, event };
}
