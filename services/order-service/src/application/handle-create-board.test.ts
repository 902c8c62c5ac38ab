import { expect, test } from 'vitest';
import { handleCreateBoard } from './handle-create-board.ts';
import type { BoardChange } from './ports.ts';

const now = new Date('2026-01-02T03:04:05.678Z');
const command = { title: 'Title', content: '', author: null, traceparent: null };

function handle(save: (change: BoardChange) => Promise<void>) {
  let ids = 0;
  return handleCreateBoard({ save }, { now: () => now, newId: () => `id-${(ids += 1)}` });
}

test('a board and its event are saved TOGETHER, as version 1, with the same state', async () => {
  const saved: BoardChange[] = [];
  const result = await handle(async (change) => void saved.push(change))({ ...command, author: 'Kim' });
  const board = { id: 'id-1', version: 1, title: 'Title', content: '', author: 'Kim', createdAt: now, updatedAt: now };
  const data = { ...board, createdAt: now.getTime(), updatedAt: now.getTime() };
  expect(result).toEqual({ kind: 'created', board });
  expect(saved).toEqual([
    { board, event: { type: 'BoardCreated', data }, eventId: 'id-2', occurredAt: now, traceparent: null },
  ]);
});

test('a broken rule is REFUSED before anything is saved', async () => {
  const result = await handle(() => expect.unreachable())({ ...command, title: '' });
  expect(result).toEqual({ kind: 'refused', violations: [{ field: 'title', wants: '1 to 200 characters' }] });
});

test('`created` is NOT said when the save fails', async () => {
  const down = new Error('down');
  await expect(handle(() => Promise.reject(down))(command)).rejects.toBe(down);
});
