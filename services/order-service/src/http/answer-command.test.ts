import { describe, expect, test } from 'vitest';
import type { BoardCommand } from '../application/board-commands.ts';
import type { CommandResult, HandleCommand } from '../application/ports.ts';
import type { Board } from '../domain/board.ts';
import { expectProblem } from '../../test/support/expect-problem.ts';
import { done, exampleBoard, refuse, serveEdge } from '../../test/support/serve-edge.ts';

const { id, title, content, author } = exampleBoard();
const body = { title, content, author };
const time = '2026-01-02T03:04:05.678Z';
const board = { id, version: 1, ...body, createdAt: time, updatedAt: time };
const path = `/boards/${id}`;
const json = { 'Content-Type': 'application/json' };
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** A command that ends when it is told. */
function slowly() {
  const result = Promise.withResolvers<'done'>();
  const handle: HandleCommand<BoardCommand, Board> = async (_, context) => {
    await result.promise;
    return done(exampleBoard(), context);
  };
  return {
    handle,
    finish: () => result.resolve('done'),
    fail: (error: Error) => result.reject(error),
  };
}

describe.each([
  ['POST', '/boards', JSON.stringify(body)],
  ['PATCH', path, '{"title":"a"}'],
  ['DELETE', path, undefined],
  ['GET', '/?title=a&content=b', undefined],
])('Idempotency-Key on %s %s', (method, path, body) => {
  const ask = (edge: ReturnType<typeof serveEdge>, key: string | string[]) =>
    edge.ask({
      method,
      path,
      headers: { ...(body && json), 'Idempotency-Key': key },
      ...(body && { body }),
    });

  test('is passed to the handler, quoted or bare', async () => {
    const edge = serveEdge();
    for (const key of ['"8e03-\\"x"', '8e03978e']) await ask(edge, key);
    expect(edge.contexts.map((context) => context.idempotencyKey)).toEqual(['8e03-"x', '8e03978e']);
  });

  test.each<string | string[]>([
    '',
    'two words',
    '"a" ; b',
    'é',
    'a'.repeat(256),
    ['a', 'b'],
    ['"a"', '"b"'],
  ])('answers 400 to an invalid or repeated key (case %#)', async (key) => {
    const edge = serveEdge();
    expectProblem(await ask(edge, key), 400, ['Idempotency-Key']);
    expect(edge.commands).toEqual([]);
  });

  test('gives a repeat the first answer, byte for byte, marked as replayed', async () => {
    const first = method === 'DELETE' ? { status: 204, headers: {}, body: '' } : undefined;
    const kept = {
      status: method === 'PATCH' ? 200 : 201,
      headers: {
        'Content-Type': 'application/json; charset=utf-8',
        ETag: '"1"',
        Location: '/boards/x',
      },
      body: ` ${JSON.stringify(board)} `,
    };
    const repeated: CommandResult = { kind: 'repeated', answer: first ?? kept };
    const edge = serveEdge({ handle: async () => repeated });
    const answer = await ask(edge, 'a');
    expect([answer.status, answer.text]).toEqual([repeated.answer.status, repeated.answer.body]);
    for (const [header, value] of Object.entries(repeated.answer.headers)) {
      expect(answer.headers[header.toLowerCase()]).toBe(value);
    }
    expect(answer.headers['idempotency-replayed']).toBe('true');
    expect(edge.lines.filter((line) => line['event'] === 'event.committed')).toEqual([]);
  });

  test('does not mark a first answer as replayed', async () => {
    expect((await ask(serveEdge(), 'a')).headers['idempotency-replayed']).toBeUndefined();
  });

  test('answers 409 with Retry-After while the first request runs, and 422 to another request', async () => {
    const running = await ask(serveEdge({ handle: refuse({ kind: 'key-running' }) }), 'a');
    expectProblem(running, 409, []);
    expect(running.headers['retry-after']).toBe('1');
    expectProblem(await ask(serveEdge({ handle: refuse({ kind: 'key-reused' }) }), 'a'), 422, [
      'Idempotency-Key',
    ]);
  });
});

test('the answer waits for the commit', async () => {
  const { handle, finish } = slowly();
  const edge = serveEdge({ handle });
  let answered = false;
  const answering = edge.send('POST', '/boards', body).then(() => (answered = true));
  await expect.poll(() => edge.commands).toHaveLength(1);
  expect((await edge.ask({ path: '/healthz' })).status).toBe(200);
  expect(answered).toBe(false);
  finish();
  await answering;
});

test('the answer that is sent is the one that is kept with a key', async () => {
  const kept: unknown[] = [];
  const edge = serveEdge({
    handle: async (_, context) => {
      const result = done(exampleBoard(), context);
      if (result.kind === 'done') kept.push(result.answer);
      return result;
    },
  });
  const { status, headers, text } = await edge.send('POST', '/boards', body);
  const { location, etag } = headers;
  const sent = { 'Content-Type': headers['content-type'], Location: location, ETag: etag };
  expect(kept).toEqual([{ status, headers: sent, body: text }]);
});

describe('the trace of a request', () => {
  test('is passed to the command and to the lines of the log', async () => {
    const edge = serveEdge();
    await edge.send('POST', '/boards', body, { traceparent, 'X-Request-Id': 'request-1' });
    expect(edge.contexts).toMatchObject([{ traceparent }]);
    const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', requestId: 'request-1' };
    expect(edge.lines).toMatchObject([
      { event: 'event.committed', ...ids, traceparent },
      { event: 'http.request', ...ids, route: '/boards', status: 201 },
    ]);
  });

  test('is made when the request has no valid one', async () => {
    const edge = serveEdge();
    for (const bad of [undefined, 'nonsense', [traceparent, traceparent]]) {
      await edge.send('POST', '/boards', body, bad === undefined ? {} : { traceparent: bad });
    }
    const made = edge.contexts.map((context) => context.traceparent);
    for (const one of made) expect(one).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(new Set([...made, traceparent]).size).toBe(4);
  });
});

test('a committed change has one line in the log, with which its timeline begins', async () => {
  const edge = serveEdge();
  const before = Date.now();
  await edge.send('PATCH', path, { title: 'new' }, { traceparent });
  const [line, ...more] = edge.lines.filter(({ event }) => event === 'event.committed');
  expect(more).toEqual([]);
  expect(line).toMatchObject({
    aggregateType: 'board',
    aggregateId: id,
    version: 2,
    eventId: 'event-1',
    eventType: 'BoardEdited',
    traceparent,
  });
  const times = [line?.['receivedAt'], line?.['committedAt']].map((text) =>
    Date.parse(String(text)),
  );
  expect(times.toSorted()).toEqual(times);
  expect(times.every((one) => one >= before && one <= Date.now())).toBe(true);
});

describe('past the request deadline', () => {
  test('a change is answered with 503 and how to learn its outcome, which is in the log', async () => {
    const { handle, finish } = slowly();
    const edge = serveEdge({ handle, requestDeadlineMs: 20 });
    const answer = await edge.send('POST', '/boards', body);
    expectProblem(answer, 503, []);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.text).toContain('Repeat it with the same Idempotency-Key');
    finish();
    await expect.poll(() => edge.lines.map(({ event }) => event)).toContain('event.committed');
  });

  test('a change that fails later is in the log', async () => {
    const { handle, fail } = slowly();
    const edge = serveEdge({ handle, requestDeadlineMs: 20 });
    expect((await edge.send('POST', '/boards', body)).status).toBe(503);
    fail(new Error('too late'));
    await expect
      .poll(() => JSON.stringify(edge.lines.find(({ event }) => event === 'http.late-failure')))
      .toContain('too late');
  });

  test('a read is answered with 503', async () => {
    const never = () => new Promise<never>(() => undefined);
    const edge = serveEdge({ requestDeadlineMs: 20, reader: { find: never, list: never } });
    for (const one of [path, '/boards']) expectProblem(await edge.ask({ path: one }), 503, []);
  });
});
