import type { CommentEvent } from '@board/contracts';
import { InvalidEventError } from '@board/inbox';
import { expect, it } from 'vitest';
import { commentHandler } from './comment-handler.ts';

const event: CommentEvent = {
  type: 'CommentRemoved',
  data: { id: 'c1', version: 2, boardId: 'b1', removedAt: 0 },
};
const message = {
  event,
  eventId: 'e1',
  aggregateId: 'c1',
  version: 2,
  attempt: 1,
  traceparent: undefined,
};

it('calls an event INVALID whose payload is about another comment or version than its headers say', async () => {
  for (const headers of [{ aggregateId: 'c2' }, { version: 3 }])
    await expect(
      commentHandler.handle(
        { ...message, ...headers },
        undefined as never,
        new AbortController().signal,
      ),
    ).rejects.toThrow(InvalidEventError);
});
