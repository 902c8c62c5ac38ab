import type { CommentEvent } from '@board/contracts';
import { InvalidEventError } from '@board/inbox';
import { expect, it } from 'vitest';
import { commentHandler } from './comment-handler.ts';

const added: CommentEvent = {
  type: 'CommentAdded',
  data: { id: 'c1', version: 1, boardId: 'b1', text: '댓글', author: null, createdAt: 1_000 },
};
const removed: CommentEvent = {
  type: 'CommentRemoved',
  data: { id: 'c1', version: 2, boardId: 'b1', removedAt: 0 },
};

async function apply(event: CommentEvent, headers: object = {}): Promise<unknown[]> {
  const written: unknown[] = [];
  const handler = commentHandler({
    add: async (_tx, comment) => void written.push(comment),
    remove: async (_tx, id, boardId) => void written.push({ id, boardId }),
  });
  const { id: aggregateId, version } = event.data;
  const message = {
    event,
    eventId: 'e1',
    aggregateId,
    version,
    attempt: 1,
    traceparent: undefined,
  };
  await handler.handle(
    { ...message, ...headers },
    undefined as never,
    new AbortController().signal,
  );
  return written;
}

it('adds a comment with its time of creation, and removes it from its board', async () => {
  expect(await apply(added)).toEqual([
    { id: 'c1', boardId: 'b1', text: '댓글', author: null, createdAt: new Date(1_000) },
  ]);
  expect(await apply(removed)).toEqual([{ id: 'c1', boardId: 'b1' }]);
});

it('refuses an event as invalid whose payload has another comment or version than its headers', async () => {
  for (const headers of [{ aggregateId: 'c2' }, { version: 3 }])
    await expect(apply(removed, headers)).rejects.toThrow(InvalidEventError);
});
