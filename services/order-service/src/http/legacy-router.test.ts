import { describe, expect, test } from 'vitest';
import { expectProblem } from '../../test/support/expect-problem.ts';
import { exampleBoard, serveEdge } from '../../test/support/serve-edge.ts';

const { id, title, content, author } = exampleBoard();
const body = { title, content, author };
const time = '2026-01-02T03:04:05.678Z';
const board = { id, version: 1, ...body, createdAt: time, updatedAt: time };
const path = `/boards/${id}`;

describe('GET /?title=..&content=..', () => {
  const legacy = '/?title=%EC%A0%9C%EB%AA%A9+%F0%9F%98%80&content=%EB%82%B4%EC%9A%A9&author=Kim';

  test('creates a board and is NOT cached', async () => {
    const edge = serveEdge();
    const answer = await edge.ask({ path: legacy });
    expect([answer.status, answer.headers.location, answer.json()]).toEqual([201, path, board]);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(edge.commands).toEqual([{ kind: 'create', ...body }]);
  });

  test.each([
    ['from another site', 403, { 'Sec-Fetch-Site': 'cross-site' }],
    ['from a sibling site', 403, { 'Sec-Fetch-Site': 'same-site' }],
    ['as a prefetch', 403, { 'Sec-Purpose': 'prefetch' }],
    ['typed by a person', 201, { 'Sec-Fetch-Site': 'none' }],
    ['from its own pages', 201, { 'Sec-Fetch-Site': 'same-origin' }],
  ])('a browser request %s: %i', async (_, status, headers) => {
    const edge = serveEdge();
    expect((await edge.ask({ path: legacy, headers })).status).toBe(status);
    expect(edge.commands).toHaveLength(status === 201 ? 1 : 0);
  });

  test('HEAD creates NOTHING', async () => {
    const edge = serveEdge();
    expect((await edge.ask({ method: 'HEAD', path: legacy })).status).toBe(405);
    expect(edge.commands).toEqual([]);
  });

  test.each([
    ['/', ['title', 'content']],
    ['/?title=a&content=b&title=c', ['title']],
    ['/?title=a&content=b&x=c', ['x']],
    ['/?title=a&content=%ff', []],
  ])('%s is refused with 400', async (bad, fields) => {
    expectProblem(await serveEdge().ask({ path: bad }), 400, fields);
  });

  test('is 404 when it is switched OFF', async () => {
    expectProblem(await serveEdge({ legacy: false }).ask({ path: legacy }), 404, []);
  });
});
