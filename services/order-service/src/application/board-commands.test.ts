import { describe, expect, test } from 'vitest';
import type { Board } from '../domain/board.ts';
import { boardCommands, type BoardCommand } from './board-commands.ts';

const then = new Date('2026-01-02T03:04:05.678Z');
const now = new Date('2026-01-02T03:04:06.000Z');
const board: Board = {
  id: 'board-1',
  version: 3,
  title: 'old',
  content: '내용',
  author: '민지',
  createdAt: then,
  updatedAt: then,
  deletedAt: null,
};
const decide = (command: BoardCommand, current?: Board) =>
  boardCommands.decide(command, current, { id: 'board-1', now });
const edit: BoardCommand = { kind: 'edit', boardId: 'board-1', title: 'new' };
const remove: BoardCommand = { kind: 'delete', boardId: 'board-1' };

test('a new board is version 1, and its event has the same state', () => {
  const created = { ...board, version: 1, title: 'a', createdAt: now, updatedAt: now };
  const { deletedAt: _, ...told } = created;
  expect(decide({ kind: 'create', title: 'a', content: '내용', author: '민지' })).toEqual({
    kind: 'change',
    state: created,
    event: {
      type: 'BoardCreated',
      data: { ...told, createdAt: now.getTime(), updatedAt: now.getTime() },
    },
  });
});

test('an edit makes the next version with only the named texts changed, and its event has the full state', () => {
  const { deletedAt: _, ...told } = board;
  expect(decide(edit, board)).toEqual({
    kind: 'change',
    state: { ...board, version: 4, title: 'new', updatedAt: now },
    event: {
      type: 'BoardEdited',
      data: {
        ...told,
        version: 4,
        title: 'new',
        createdAt: then.getTime(),
        updatedAt: now.getTime(),
      },
    },
  });
  expect(decide({ kind: 'edit', boardId: 'board-1', content: '' }, board)).toMatchObject({
    state: { title: 'old', content: '' },
  });
});

test('a deletion keeps the row and takes the next version', () => {
  expect(decide(remove, board)).toMatchObject({
    state: { version: 4, title: 'old', deletedAt: now, updatedAt: now },
    event: { type: 'BoardDeleted', data: { version: 4, title: 'old', deletedAt: now.getTime() } },
  });
});

describe.each([
  ['edit', edit],
  ['delete', remove],
] as const)('the command %s', (_, command) => {
  test.each<[string, Board | undefined, readonly number[] | undefined, unknown]>([
    ['a missing board', undefined, undefined, { kind: 'missing' }],
    ['a deleted board', { ...board, deletedAt: then }, undefined, { kind: 'deleted' }],
    [
      'a deleted board with another expected version',
      { ...board, deletedAt: then },
      [9],
      { kind: 'deleted' },
    ],
    ['a board of another version', board, [2, 4], { kind: 'stale', version: 3 }],
    ['a board when no version is expected', board, [], { kind: 'stale', version: 3 }],
  ])('refuses %s', (_case, current, ifVersions, refusal) => {
    expect(decide({ ...command, ifVersions }, current)).toEqual({ kind: 'refuse', refusal });
  });

  test('changes a board of the expected version', () => {
    expect(decide({ ...command, ifVersions: [1, 3] }, board)).toMatchObject({ kind: 'change' });
  });

  test('does not turn the time back when the clock is behind the last writer', () => {
    const later = { ...board, updatedAt: new Date('2027-01-01T00:00:00.000Z') };
    expect(decide(command, later)).toMatchObject({ state: { updatedAt: later.updatedAt } });
  });
});
