import type { BoardEvent } from '@board/contracts';
import { InvalidEventError, type Message } from '@board/inbox';
import { expect, it } from 'vitest';
import type { CatalogChange } from '../domain/catalog-board.ts';
import { boardHandler } from './board-handler.ts';

const data = {
  id: 'b1',
  version: 2,
  title: 't',
  content: 'c',
  author: 'a',
  createdAt: 1_000,
  updatedAt: 2_000,
};
const message = (
  event: BoardEvent,
  changes: Partial<Message<BoardEvent>> = {},
): Message<BoardEvent> => ({
  event,
  eventId: 'e1',
  aggregateId: 'b1',
  version: 2,
  attempt: 1,
  traceparent: undefined,
  ...changes,
});

async function apply(...messages: Message<BoardEvent>[]): Promise<CatalogChange[]> {
  const applied: CatalogChange[] = [];
  const handler = boardHandler({
    apply: async (_tx, changes) => {
      applied.push(...changes);
    },
  });
  await handler.handleBatch?.(messages, undefined as never, new AbortController().signal);
  return applied;
}

it('counts a creation on its UTC day, and no other event', async () => {
  const createdAt = Date.parse('2026-01-01T23:59:59.999Z');
  const [created, edited] = await apply(
    message({ type: 'BoardCreated', data: { ...data, createdAt } }),
    message({ type: 'BoardEdited', data: { ...data, createdAt } }),
  );
  expect(created?.createdOn).toBe('2026-01-01');
  expect(edited?.createdOn).toBeUndefined();
});

it('keeps a deleted board with its last state', async () => {
  const [change] = await apply(
    message({ type: 'BoardDeleted', data: { ...data, deletedAt: 3_000 } }),
  );
  expect(change?.board).toMatchObject({ title: 't', deletedAt: new Date(3_000) });
});

it('refuses an event as invalid whose payload has another board or version than its headers', async () => {
  const event: BoardEvent = { type: 'BoardEdited', data };
  await expect(apply(message(event, { aggregateId: 'b2' }))).rejects.toThrow(InvalidEventError);
  await expect(apply(message(event, { version: 3 }))).rejects.toThrow(InvalidEventError);
});
