import { expect, test } from 'vitest';
import type { Comment } from '../domain/comment.ts';
import { commentCommands, type CommentCommand } from './comment-commands.ts';

const then = new Date('2026-01-02T03:04:05.678Z');
const now = new Date('2026-01-02T03:04:06.000Z');
const comment: Comment = {
  id: 'c1',
  version: 1,
  boardId: 'b1',
  text: '댓글',
  author: null,
  createdAt: then,
  deletedAt: null,
};
const decide = (command: CommentCommand, current?: Comment) =>
  commentCommands.decide(command, current, { id: 'c1', now });
const add: CommentCommand = { kind: 'add-comment', boardId: 'b1', text: '댓글', author: null };
const remove: CommentCommand = { kind: 'remove-comment', commentId: 'c1' };

test('an added comment is version 1, and its event has the same state', () => {
  const { deletedAt: _, ...told } = { ...comment, createdAt: now.getTime() };
  expect(decide(add)).toEqual({
    kind: 'change',
    state: { ...comment, createdAt: now },
    event: { type: 'CommentAdded', data: told },
  });
});

test('a removed comment keeps its row, as the next version', () => {
  expect(decide(remove, comment)).toEqual({
    kind: 'change',
    state: { ...comment, version: 2, deletedAt: now },
    event: {
      type: 'CommentRemoved',
      data: { id: 'c1', version: 2, boardId: 'b1', removedAt: now.getTime() },
    },
  });
});

test.each<[string, CommentCommand, Comment | undefined, object]>([
  ['a missing comment', remove, undefined, { kind: 'missing' }],
  ['a removed comment', remove, { ...comment, version: 2, deletedAt: then }, { kind: 'deleted' }],
  [
    'a comment at another version',
    { ...remove, ifVersions: [7] },
    comment,
    { kind: 'stale', version: 1 },
  ],
])('a removal of %s is refused', (_name, command, current, refusal) => {
  expect(decide(command, current)).toEqual({ kind: 'refuse', refusal });
});

test('the comments of a board share a partition', () => {
  expect(commentCommands.partitionKeyOf(comment)).toBe('b1');
});
