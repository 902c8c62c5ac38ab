import { describe, expect, test } from 'vitest';
import { expectProblem } from '../../test/support/expect-problem.ts';
import { exampleBoard, serveEdge } from '../../test/support/serve-edge.ts';

const { id, title, content, author } = exampleBoard();
const body = { title, content, author };
const time = '2026-01-02T03:04:05.678Z';
const board = { id, version: 1, ...body, createdAt: time, updatedAt: time };
const path = `/boards/${id}`;

describe('GET /boards/:id', () => {
  const boards = [exampleBoard({ version: 7 })];

  test('shows the board with its ETag by an id in either case, and the headers for HEAD', async () => {
    const edge = serveEdge({ boards });
    for (const one of [path, `/boards/${id.toUpperCase()}`]) {
      const answer = await edge.ask({ path: one });
      expect([answer.headers.etag, answer.headers['cache-control']]).toEqual(['"7"', 'no-cache']);
      expect(answer.json()).toEqual({ ...board, version: 7 });
    }
    const head = await edge.ask({ method: 'HEAD', path });
    const length = String(Buffer.byteLength((await edge.ask({ path })).text));
    expect([head.status, head.headers.etag, head.headers['content-length']]).toEqual([
      200,
      '"7"',
      length,
    ]);
  });

  test.each<[string | string[], number]>([
    ['"7"', 304],
    ['W/"7"', 304],
    ['"1", W/"7"', 304],
    [['"1"', '"7"'], 304],
    ['*', 304],
    ['"6"', 200],
    ['"77"', 200],
    ['7', 400],
  ])('answers If-None-Match %j with %i', async (header, status) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await serveEdge({ boards }).ask({
        method,
        path,
        headers: { 'If-None-Match': header },
      });
      expect(answer.status).toBe(status);
      if (status === 304) expect([answer.text, answer.headers.etag]).toEqual(['', '"7"']);
    }
  });

  test('answers 404 for an unknown id, 410 for a deleted board, 400 for an invalid id, regardless of If-None-Match', async () => {
    expectProblem(await serveEdge().ask({ path, headers: { 'If-None-Match': '*' } }), 404, []);
    const deleted = serveEdge({ boards: [exampleBoard({ deletedAt: new Date() })] });
    expectProblem(await deleted.ask({ path, headers: { 'If-None-Match': '*' } }), 410, []);
    const edge = serveEdge();
    for (const bad of ['1', `${id}0`, "1'%20or%201=1", '%00', '%F0%9F%98%80']) {
      expectProblem(await edge.ask({ path: `/boards/${bad}` }), 400, ['id']);
    }
    expect((await edge.ask({ path: '/boards/%E0%A4%A' })).status).toBe(400);
  });
});

describe('GET /boards', () => {
  const idOf = (n: number) => `019b0000-0000-7000-8000-${String(n).padStart(12, '0')}`;
  const boards = [1, 2, 3, 4, 5, 6].map((n) =>
    exampleBoard({ id: idOf(n), deletedAt: n === 4 ? new Date() : null }),
  );

  test('pages through the boards that are not deleted, newest first, each once, until next is null', async () => {
    const edge = serveEdge({ boards });
    const pages: string[][] = [];
    let next: string | null = '/boards?limit=2';
    while (next !== null) {
      const answer = await edge.ask({ path: next });
      const page = answer.json() as { boards: { id: string }[]; next: string | null };
      pages.push(page.boards.map((one) => one.id));
      const link = /^<(.*)>; rel="next"$/.exec(String(answer.headers.link))?.[1] ?? null;
      next = page.next === null ? null : `/boards?cursor=${page.next}&limit=2`;
      expect(link === null).toBe(next === null);
      expect(new URLSearchParams(link?.split('?')[1]).get('cursor')).toBe(page.next);
    }
    expect(pages).toEqual([[idOf(6), idOf(5)], [idOf(3), idOf(2)], [idOf(1)]]);
  });

  test('shows no next page after a full last page', async () => {
    const answer = await serveEdge({ boards }).ask({ path: '/boards?limit=5' });
    expect(answer.json()).toMatchObject({ boards: { length: 5 }, next: null });
    expect(answer.headers.link).toBeUndefined();
  });

  test('answers 304 while no board of the page has changed', async () => {
    const first = await serveEdge({ boards }).ask({ path: '/boards' });
    const headers = { 'If-None-Match': String(first.headers.etag) };
    expect((await serveEdge({ boards }).ask({ path: '/boards', headers })).status).toBe(304);
    const changed = boards.with(0, exampleBoard({ id: idOf(1), version: 2, title: 'new' }));
    const second = await serveEdge({ boards: changed }).ask({ path: '/boards', headers });
    expect([second.status, second.headers.etag === first.headers.etag]).toEqual([200, false]);
  });

  test.each([
    ['limit=0', ['limit']],
    ['limit=101', ['limit']],
    ['limit=1e1', ['limit']],
    ['limit=', ['limit']],
    ['limit=1&limit=2', ['limit']],
    ['cursor=x', ['cursor']],
    [`cursor=${id}`, ['cursor']],
    ['cursor=', ['cursor']],
    ['curser=x', ['curser']],
    ['__proto__=x', ['__proto__']],
    ['cursor=%ff', []],
  ])('refuses %s with 400 and names the field', async (query, fields) => {
    expectProblem(await serveEdge({ boards }).ask({ path: `/boards?${query}` }), 400, fields);
  });
});
