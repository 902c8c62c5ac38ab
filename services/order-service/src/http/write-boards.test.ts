import { UnavailableError } from '@board/service';
import { describe, expect, test } from 'vitest';
import { expectProblem } from '../../test/support/expect-problem.ts';
import { exampleBoard, refuse, serveEdge } from '../../test/support/serve-edge.ts';

const { id, title, content, author } = exampleBoard();
const body = { title, content, author };
const time = '2026-01-02T03:04:05.678Z';
const board = { id, version: 1, ...body, createdAt: time, updatedAt: time };
const path = `/boards/${id}`;
const json = { 'Content-Type': 'application/json' };

describe('POST /boards', () => {
  test('handles the command and answers 201 with Location, ETag and the board', async () => {
    const edge = serveEdge();
    const answer = await edge.send('POST', '/boards', body);
    expect([answer.status, answer.headers.location, answer.headers.etag]).toEqual([
      201,
      path,
      '"1"',
    ]);
    expect(answer.json()).toEqual(board);
    expect(edge.commands).toEqual([{ kind: 'create', ...body }]);
  });

  test('takes an absent or null author, which is null in the command and the answer', async () => {
    for (const author of [undefined, null]) {
      const edge = serveEdge();
      expect((await edge.send('POST', '/boards', { ...body, author })).json()).toEqual({
        ...board,
        author: null,
      });
      expect(edge.commands).toMatchObject([{ author: null }]);
    }
  });

  test.each([
    ['an array', [], ['(body)']],
    ['a text', 'board', ['(body)']],
    ['null', null, ['(body)']],
    ['an empty object', {}, ['title', 'content']],
    [
      'texts of other types',
      { title: 1, content: ['a'], author: {} },
      ['title', 'content', 'author'],
    ],
    ['an unknown field', { ...body, admin: true }, ['admin']],
  ])('refuses %s with 422 and names the field', async (_, value, fields) => {
    const edge = serveEdge();
    expectProblem(await edge.send('POST', '/boards', value), 422, fields);
    expect(edge.commands).toEqual([]);
  });

  test('answers 422 and names the field when the board breaks a rule', async () => {
    const violations = [{ field: 'author', wants: '1 to 100 characters, or no author' }] as const;
    const edge = serveEdge({ handle: refuse({ kind: 'invalid', violations }) });
    expectProblem(await edge.send('POST', '/boards', { ...body, author: '' }), 422, ['author']);
  });

  test.each([
    ['half a value', 400, json, '{"title"'],
    ['no content type', 415, {}, JSON.stringify(body)],
    ['a form', 415, { 'Content-Type': 'application/x-www-form-urlencoded' }, 'title=a&content=b'],
    [
      'a merge patch',
      415,
      { 'Content-Type': 'application/merge-patch+json' },
      JSON.stringify(body),
    ],
    ['more than 448 KiB', 413, json, ' '.repeat(448 * 1024 + 1)],
    ['prototype keys', 422, json, '{"title":"a","content":"b","__proto__":{"author":"c"}}'],
    [
      'a constructor',
      422,
      json,
      '{"title":"a","content":"b","constructor":{"prototype":{"author":"c"}}}',
    ],
    ['a repeated key', 400, json, '{"title":"a","content":"b","title":"c"}'],
    [
      'deep nesting',
      422,
      json,
      `{"title":"a","content":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
    ],
  ])('refuses %s with %i', async (_, status, headers, bytes) => {
    const edge = serveEdge();
    const answer = await edge.ask({ method: 'POST', path: '/boards', headers, body: bytes });
    expectProblem(answer, status, status === 422 ? [expect.any(String)] : []);
    expect(edge.commands).toEqual([]);
  });

  test('takes the longest content with each byte escaped within the body limit', async () => {
    const escaped = `{"title":"a","content":"${'\\u0041'.repeat(65_536)}"}`;
    const question = { method: 'POST', path: '/boards', headers: json, body: escaped };
    expect((await serveEdge().ask(question)).status).toBe(201);
  });

  test('answers 408 to a body that comes too slowly, and closes its connection', async () => {
    const edge = serveEdge({ bodyDeadlineMs: 20 });
    const question = {
      method: 'POST',
      path: '/boards',
      headers: json,
      body: '{"title',
      unfinished: true,
    };
    const answer = await edge.ask(question);
    expectProblem(answer, 408, []);
    expect(answer.headers.connection).toBe('close');
  });

  test('answers 503 with Retry-After while the database is unavailable', async () => {
    const edge = serveEdge({ handle: () => Promise.reject(new UnavailableError('away')) });
    const answer = await edge.send('POST', '/boards', body);
    expectProblem(answer, 503, []);
    expect(answer.headers['retry-after']).toBe('1');
  });
});

describe('PATCH /boards/:id', () => {
  test('changes what is given, at the version that If-Match names, and answers with the new ETag', async () => {
    const edge = serveEdge();
    const answer = await edge.send(
      'PATCH',
      path.toUpperCase().replace('BOARDS', 'boards'),
      { title: 'new' },
      { 'If-Match': '"1"' },
    );
    expect([answer.status, answer.headers.etag]).toEqual([200, '"2"']);
    expect(answer.json()).toEqual({ ...board, version: 2, title: 'new' });
    expect(edge.commands).toEqual([{ kind: 'edit', boardId: id, title: 'new', ifVersions: [1] }]);
  });

  test('takes a merge patch', async () => {
    const edge = serveEdge();
    const headers = { 'Content-Type': 'application/merge-patch+json; charset=UTF-8' };
    expect((await edge.send('PATCH', path, { content: '' }, headers)).status).toBe(200);
    expect(edge.commands).toEqual([{ kind: 'edit', boardId: id, content: '' }]);
  });

  test.each([
    ['nothing', {}, ['(body)']],
    ['null', { title: null }, ['title']],
    ['the author, which never changes', { title: 'a', author: 'b' }, ['author']],
    ['the version', { title: 'a', version: 7 }, ['version']],
    ['an array', [], ['(body)']],
  ])('refuses %s with 422', async (_, value, fields) => {
    const edge = serveEdge();
    expectProblem(await edge.send('PATCH', path, value), 422, fields);
    expect(edge.commands).toEqual([]);
  });

  test('answers 412 with the current ETag when the board is at another version', async () => {
    const edge = serveEdge({ handle: refuse({ kind: 'stale', version: 7 }) });
    const answer = await edge.send('PATCH', path, { title: 'a' }, { 'If-Match': '"6"' });
    expectProblem(answer, 412, []);
    expect(answer.headers.etag).toBe('"7"');
  });
});

test('DELETE answers 204 without a body, 410 for a deleted board and 404 for an unknown one', async () => {
  const edge = serveEdge();
  const answer = await edge.ask({ method: 'DELETE', path });
  expect([answer.status, answer.text]).toEqual([204, '']);
  expect(edge.commands).toEqual([{ kind: 'delete', boardId: id }]);
  for (const [kind, status] of [
    ['deleted', 410],
    ['missing', 404],
  ] as const) {
    expectProblem(
      await serveEdge({ handle: refuse({ kind }) }).ask({ method: 'DELETE', path }),
      status,
      [],
    );
  }
});

describe.each(['PATCH', 'DELETE'])('If-Match on %s', (method) => {
  const question = (header: string | string[]) => {
    const patch =
      method === 'PATCH' ? { headers: { ...json, 'If-Match': header }, body: '{"title":"a"}' } : {};
    return { method, path, headers: { 'If-Match': header }, ...patch };
  };

  test.each([
    ['"1"', [1]],
    ['"1", "2"', [1, 2]],
    [
      ['"1"', '"2"'],
      [1, 2],
    ],
    ['W/"1", "abc"', []],
    ['*', undefined],
  ])('%j allows %j', async (header, versions) => {
    const edge = serveEdge();
    expect((await edge.ask(question(header))).status).toBeLessThan(300);
    expect(edge.commands.map((command) => command.kind !== 'create' && command.ifVersions)).toEqual(
      [versions],
    );
  });

  test.each(['1', '"1', '', '*, "1"', ['*', '"1"']])(
    'refuses %j with 400, because it is no list of tags',
    async (header) => {
      const edge = serveEdge();
      expectProblem(await edge.ask(question(header)), 400, ['If-Match']);
      expect(edge.commands).toEqual([]);
    },
  );
});

test('a wrong method is answered with 405 and Allow', async () => {
  const edge = serveEdge();
  for (const [one, allow] of [
    ['/boards', 'GET, HEAD, POST'],
    [path, 'DELETE, GET, HEAD, PATCH'],
  ] as const) {
    const answer = await edge.ask({ method: 'PUT', path: one });
    expectProblem(answer, 405, []);
    expect(answer.headers.allow).toBe(allow);
  }
});

describe('GET /?title=..&content=..', () => {
  const legacy = '/?title=%EC%A0%9C%EB%AA%A9+%F0%9F%98%80&content=%EB%82%B4%EC%9A%A9&author=Kim';

  test('creates a board and forbids caching', async () => {
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
  ])('answers a browser request %s with %i', async (_, status, headers) => {
    const edge = serveEdge();
    expect((await edge.ask({ path: legacy, headers })).status).toBe(status);
    expect(edge.commands).toHaveLength(status === 201 ? 1 : 0);
  });

  test('creates no board for HEAD', async () => {
    const edge = serveEdge();
    expect((await edge.ask({ method: 'HEAD', path: legacy })).status).toBe(405);
    expect(edge.commands).toEqual([]);
  });

  test.each([
    ['/', ['title', 'content']],
    ['/?title=a&content=b&title=c', ['title']],
    ['/?title=a&content=b&x=c', ['x']],
    ['/?title=a&content=%ff', []],
  ])('refuses %s with 400', async (bad, fields) => {
    expectProblem(await serveEdge().ask({ path: bad }), 400, fields);
  });

  test('answers 404 when it is switched off', async () => {
    expectProblem(await serveEdge({ legacy: false }).ask({ path: legacy }), 404, []);
  });
});
