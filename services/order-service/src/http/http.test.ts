import { createHealth, createHttpServer, createLogger, createMetrics, UnavailableError } from '@board/service-kit';
import { ask, askJson, type Answer } from '@board/service-kit/testing';
import { describe, expect, test } from 'vitest';
import { handleCommand } from '../application/handle-command.ts';
import type { BoardOrder, BoardWriter } from '../application/ports.ts';
import type { Board } from '../domain/board.ts';
import { boardsRouter } from './boards-router.ts';
import { legacyRouter } from './legacy-router.ts';

const id = '019b0000-0000-7000-8000-000000000001';
const now = new Date('2026-01-02T03:04:05.678Z');
const body = { title: '제목 😀', content: '내용', author: 'Kim' };
const time = '2026-01-02T03:04:05.678Z';
const board = { id, version: 1, ...body, createdAt: time, updatedAt: time };

interface Options {
  readonly legacy?: boolean;
  readonly save?: () => Promise<void>;
}

function serve({ legacy = true, save = () => Promise.resolve() }: Options = {}) {
  const saved: (BoardOrder & { readonly board: Board })[] = [];
  const writer: BoardWriter = {
    async commit(order) {
      await save();
      const decision = order.decide(undefined);
      if (decision.kind === 'refuse') return { kind: 'refused', refusal: decision.refusal };
      saved.push({ ...order, board: decision.board });
      return { kind: 'committed', board: decision.board };
    },
  };
  const reader = {
    find: async (wanted: string) => saved.find((order) => order.board.id === wanted)?.board,
    list: async () => [],
  };
  const handle = handleCommand(writer, { now: () => now, newId: () => id });
  const { callback } = createHttpServer({
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics: createMetrics('test'),
    health: createHealth(),
    routers: [boardsRouter(handle, reader), ...(legacy ? [legacyRouter(handle)] : [])],
  });
  return { callback, saved };
}

function expectProblem(answer: Answer, status: number, fields: readonly string[]): void {
  expect(answer.headers['content-type']).toContain('application/problem+json');
  const problem = answer.json() as { status: number; errors?: { field: string; wants: string }[] };
  const named = (problem.errors ?? []).map(({ field }) => field);
  expect([answer.status, problem.status, named]).toEqual([status, status, fields]);
  for (const { wants } of problem.errors ?? []) expect(wants).toMatch(/\w{2}/);
}

describe('POST /boards', () => {
  test('creates: 201, Location, the board; GET reads it, by an id in CAPITALS too', async () => {
    const { callback } = serve();
    const answer = await askJson(callback, 'POST', '/boards', body);
    expect([answer.status, answer.headers.location, answer.json()]).toEqual([201, `/boards/${id}`, board]);
    expect((await ask(callback, { path: `/boards/${id.toUpperCase()}` })).json()).toEqual(board);
  });

  test('an author may be ABSENT or null, and is null in the answer', async () => {
    for (const author of [undefined, null]) {
      const answer = await askJson(serve().callback, 'POST', '/boards', { ...body, author });
      expect(answer.json()).toEqual({ ...board, author: null });
    }
  });

  test.each([
    ['an array', [], ['(body)']],
    ['a text', 'board', ['(body)']],
    ['null', null, ['(body)']],
    ['nothing in it', {}, ['title', 'content']],
    ['texts of other types', { title: 1, content: ['a'], author: {} }, ['title', 'content', 'author']],
    ['an unknown field', { ...body, admin: true }, ['admin']],
    ['an empty title', { ...body, title: '' }, ['title']],
    ['a title too long', { ...body, title: '😀'.repeat(201) }, ['title']],
    ['an author too long', { ...body, author: 'a'.repeat(101) }, ['author']],
    ['a content too long', { ...body, content: '한'.repeat(21_846) }, ['content']],
    ['a NUL', { ...body, content: 'a\0b' }, ['content']],
    ['a lone surrogate', { ...body, title: '\ud800' }, ['title']],
  ])('refuses %s with 422 and names the field', async (_, value, fields) => {
    const { callback, saved } = serve();
    expectProblem(await askJson(callback, 'POST', '/boards', value), 422, fields);
    expect(saved).toEqual([]);
  });

  const json = { 'Content-Type': 'application/json' };
  test.each([
    ['half a value', 400, json, '{"title"'],
    ['no content type', 415, {}, JSON.stringify(body)],
    ['a form', 415, { 'Content-Type': 'application/x-www-form-urlencoded' }, 'title=a&content=b'],
    ['more than 448 KiB', 413, json, ' '.repeat(448 * 1024 + 1)],
    ['prototype keys', 422, json, '{"title":"a","content":"b","__proto__":{"author":"c"}}'],
    ['deep nesting', 422, json, `{"title":"a","content":${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
  ])('refuses %s with %i', async (_, status, headers, bytes) => {
    const { callback, saved } = serve();
    const answer = await ask(callback, { method: 'POST', path: '/boards', headers, body: bytes });
    expectProblem(answer, status, status === 422 ? [expect.any(String)] : []);
    expect(saved).toEqual([]);
  });

  test('the longest content fits into the body limit with EVERY byte escaped', async () => {
    const escaped = `{"title":"a","content":"${'\\u0041'.repeat(65_536)}"}`;
    const question = { method: 'POST', path: '/boards', headers: json, body: escaped };
    expect((await ask(serve().callback, question)).status).toBe(201);
  });

  test.each([
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', true],
    ['00-00000000000000000000000000000000-b7ad6b7169203331-01', false],
    ['00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01', false],
    ['01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', false],
    ['nonsense', false],
  ])('a traceparent %s is stored only when it is VALID; else a new one is made', async (traceparent, valid) => {
    const { callback, saved } = serve();
    const headers = { ...json, traceparent };
    await ask(callback, { method: 'POST', path: '/boards', headers, body: JSON.stringify(body) });
    expect(saved[0]?.traceparent === traceparent).toBe(valid);
    expect(saved[0]?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  test('an UNAVAILABLE database is 503 with Retry-After', async () => {
    const { callback } = serve({ save: () => Promise.reject(new UnavailableError('away')) });
    const answer = await askJson(callback, 'POST', '/boards', body);
    expectProblem(answer, 503, []);
    expect(answer.headers['retry-after']).toBe('1');
  });

  test('the answer WAITS for the commit', async () => {
    const commit = Promise.withResolvers<void>();
    const events: string[] = [];
    const { callback } = serve({ save: () => commit.promise.then(() => void events.push('committed')) });
    const answered = askJson(callback, 'POST', '/boards', body).then(() => events.push('answered'));
    expect((await ask(callback, { path: '/healthz' })).status).toBe(200);
    expect(events).toEqual([]);
    commit.resolve();
    await answered;
    expect(events).toEqual(['committed', 'answered']);
  });
});

describe('GET /boards/:id', () => {
  test('an unknown id is 404, a BAD one is 400 and named', async () => {
    const { callback } = serve();
    expectProblem(await ask(callback, { path: `/boards/${id}` }), 404, []);
    for (const bad of ['1', `${id}0`, "1'%20or%201=1", '%00', '%F0%9F%98%80']) {
      expectProblem(await ask(callback, { path: `/boards/${bad}` }), 400, ['id']);
    }
    expect((await ask(callback, { path: '/boards/%E0%A4%A' })).status).toBe(400);
  });

  test('a wrong METHOD is 405 with Allow', async () => {
    const { callback } = serve();
    const onBoards = await ask(callback, { method: 'DELETE', path: '/boards' });
    expectProblem(onBoards, 405, []);
    expect(onBoards.headers.allow).toBe('POST');
    expectProblem(await ask(callback, { method: 'PUT', path: `/boards/${id}` }), 405, []);
  });
});

describe('GET /?title=..&content=..', () => {
  const path = '/?title=%EC%A0%9C%EB%AA%A9+%F0%9F%98%80&content=%EB%82%B4%EC%9A%A9&author=Kim';

  test('creates a board and is NOT cached', async () => {
    const answer = await ask(serve().callback, { path });
    expect([answer.status, answer.headers.location, answer.json()]).toEqual([201, `/boards/${id}`, board]);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  test.each([
    ['from another site', 403, { 'Sec-Fetch-Site': 'cross-site' }],
    ['from a sibling site', 403, { 'Sec-Fetch-Site': 'same-site' }],
    ['as a prefetch', 403, { 'Sec-Purpose': 'prefetch' }],
    ['typed by a person', 201, { 'Sec-Fetch-Site': 'none' }],
    ['from its own pages', 201, { 'Sec-Fetch-Site': 'same-origin' }],
  ])('a browser request %s: %i', async (_, status, headers) => {
    const { callback, saved } = serve();
    expect((await ask(callback, { path, headers })).status).toBe(status);
    expect(saved).toHaveLength(status === 201 ? 1 : 0);
  });

  test('HEAD creates NOTHING', async () => {
    const { callback, saved } = serve();
    expect((await ask(callback, { method: 'HEAD', path })).status).toBe(405);
    expect(saved).toEqual([]);
  });

  test.each([
    ['/', 422, ['title', 'content']],
    ['/?title=a&content=b&title=c', 422, ['title']],
    ['/?title=a&content=b&x=c', 422, ['x']],
    ['/?title=a&content=%00', 422, ['content']],
    ['/?title=a&content=%ff', 400, []],
  ])('%s is refused with %i', async (bad, status, fields) => {
    expectProblem(await ask(serve().callback, { path: bad }), status, fields);
  });

  test('is 404 when it is switched OFF', async () => {
    expectProblem(await ask(serve({ legacy: false }).callback, { path }), 404, []);
  });
});
