import {
  createHealth,
  createHttpServer,
  createLogger,
  createMetrics,
  UnavailableError,
} from '@board/service';
import { ask } from '@board/service/testing';
import { describe, expect, it } from 'vitest';
import type { CatalogReader } from '../application/board-handler.ts';
import type { CatalogBoard } from '../domain/catalog-board.ts';
import { catalogRouter } from './catalog-router.ts';

const at = new Date('2026-01-02T03:04:05.678Z');
const idOf = (n: number): string => `019b0000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const board = (n: number, changes: Partial<CatalogBoard> = {}): CatalogBoard => ({
  id: idOf(n),
  version: 3,
  title: '제목 😀',
  content: '내용',
  author: null,
  createdAt: at,
  updatedAt: at,
  deletedAt: null,
  appliedCount: 3,
  ...changes,
});

function serve(boards: readonly CatalogBoard[], changes: Partial<CatalogReader> = {}) {
  const reader: CatalogReader = {
    find: async (id) => boards.find((one) => one.id === id),
    list: async (after, limit) => {
      const found = boards.filter((one) => one.id > after);
      const page = found.slice(0, limit);
      return { boards: page, next: found.length > limit ? (page.at(-1)?.id ?? null) : null };
    },
    createdPerDay: async () => [{ day: '2026-01-02', created: 7 }],
    ...changes,
  };
  const { callback } = createHttpServer({
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics: createMetrics('test'),
    health: createHealth(),
    routers: [catalogRouter(reader)],
  });
  return async (path: string, headers: Record<string, string> = {}) => {
    const answer = await ask(callback, { path, headers });
    return {
      status: answer.status,
      body: (answer.text === '' ? {} : answer.json()) as Record<string, unknown>,
      type: answer.headers['content-type'],
      etag: String(answer.headers.etag),
    };
  };
}

describe('GET /catalog/:id', () => {
  it('shows a board by an id in either case', async () => {
    const get = serve([board(1)]);
    const { status, body } = await get(`/catalog/${idOf(1).toUpperCase()}`);
    expect(status).toBe(200);
    expect(body).toEqual({
      id: idOf(1),
      version: 3,
      title: '제목 😀',
      content: '내용',
      author: null,
      createdAt: at.toISOString(),
      updatedAt: at.toISOString(),
      appliedCount: 3,
    });
  });

  it.each([
    ['an unknown board', idOf(9), 404],
    ['a deleted board', idOf(2), 410],
    ['an invalid id', 'abc', 400],
  ])('refuses %s with a problem', async (_name, id, status) => {
    const answer = await serve([board(1), board(2, { deletedAt: at })])(`/catalog/${id}`);
    expect(answer.status).toBe(status);
    expect(answer.type).toContain('application/problem+json');
  });

  it('answers 304 to a client that has the board, until an event is applied or counted again', async () => {
    const { etag } = await serve([board(1)])(`/catalog/${idOf(1)}`);
    const statusNow = async (changes: Partial<CatalogBoard>) =>
      (await serve([board(1, changes)])(`/catalog/${idOf(1)}`, { 'If-None-Match': etag })).status;
    expect(await statusNow({})).toBe(304);
    expect(await statusNow({ version: 4, appliedCount: 4 })).toBe(200);
    expect(await statusNow({ appliedCount: 4 })).toBe(200);
    expect(await statusNow({ deletedAt: at })).toBe(410);
  });

  it('answers 503 while the database is away', async () => {
    const find = () => Promise.reject(new UnavailableError('The database cannot be reached.'));
    expect((await serve([], { find })(`/catalog/${idOf(1)}`)).status).toBe(503);
  });
});

describe('GET /catalog', () => {
  it('pages through all boards, each once', async () => {
    const get = serve([1, 2, 3, 4, 5].map((n) => board(n)));
    const seen: string[] = [];
    let after = '';
    for (;;) {
      const { boards, next } = (await get(`/catalog?limit=2${after}`)).body as {
        boards: { id: string }[];
        next: string | null;
      };
      seen.push(...boards.map(({ id }) => id));
      if (next === null) break;
      after = `&after=${next}`;
    }
    expect(seen).toEqual([1, 2, 3, 4, 5].map(idOf));
  });

  it.each(['limit=0', 'limit=201', 'limit=x', 'limit=1&limit=2', 'after=x', 'afer=x'])(
    'refuses %s, naming the field',
    async (query) => {
      const { status, body } = await serve([])(`/catalog?${query}`);
      expect(status).toBe(400);
      expect(body['errors']).toMatchObject([{ field: query.split('=')[0] }]);
    },
  );
});

it('GET /created-per-day lists days', async () => {
  expect((await serve([])('/created-per-day')).body).toEqual({
    days: [{ day: '2026-01-02', created: 7 }],
  });
});
