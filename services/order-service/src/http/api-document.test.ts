import { UnavailableError } from '@board/service';
import type { Question } from '@board/service/testing';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Refusal } from '../application/ports.ts';
import { checkBoardText } from '../domain/board.ts';
import { checkComment } from '../domain/comment.ts';
import {
  done,
  exampleBoard,
  exampleComment,
  refuse,
  serveEdge,
  type EdgeOptions,
} from '../../test/support/serve-edge.ts';
import { apiDocument } from './api-document.ts';

const document = apiDocument({ legacyCreate: true }) as {
  readonly paths: Record<string, Record<string, { readonly responses: object }>>;
  readonly components: { readonly schemas: Record<string, object> };
};

test('the document is valid OpenAPI 3.1', async () => {
  const result = await new Validator().validate(structuredClone(document));
  expect(result).toMatchObject({ valid: true });
  expect(document).toMatchObject({ openapi: '3.1.0' });
});

const operations = (paths: typeof document.paths): string[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );

test('the document does not describe the legacy route when it is switched off', () => {
  const without = apiDocument({ legacyCreate: false }) as typeof document;
  expect(operations(without.paths)).toEqual(
    operations(document.paths).filter((name) => name !== 'GET /'),
  );
});

const json = { 'Content-Type': 'application/json' };
const post: Question = {
  method: 'POST',
  path: '/boards',
  headers: json,
  body: '{"title":"a","content":"b"}',
};
const one = `/boards/${exampleBoard().id}`;
const patch: Question = { method: 'PATCH', path: one, headers: json, body: '{"title":"a"}' };
const remove: Question = { method: 'DELETE', path: one };
const comments = `${one}/comments`;
const comment: Question = { method: 'POST', path: comments, headers: json, body: '{"text":"a"}' };
const oneComment = `/comments/${exampleComment().id}`;
const removeComment: Question = { method: 'DELETE', path: oneComment };
const legacy: Question = { path: '/?title=a&content=b' };
const withHeaders = (question: Question, headers: Question['headers']): Question => ({
  ...question,
  headers: { ...question.headers, ...headers },
});

const fail = (error: Error): EdgeOptions => {
  const reject = async () => {
    throw error;
  };
  return {
    handle: reject,
    handleComment: reject,
    reader: { find: reject, list: reject },
    findComment: reject,
  };
};
const violations = [{ field: 'title', wants: '1 to 200 characters' }] as const;
/**
 * Every command is refused so, whichever aggregate it is about; the board of a comment is there.
 */
const refusing = (refusal: Refusal): EdgeOptions => ({
  handle: refuse(refusal),
  handleComment: refuse(refusal),
  boards: [exampleBoard()],
});
const badKey = { 'Idempotency-Key': 'two words' };
const big = ' '.repeat(448 * 1024 + 1);

const readCases = (question: Question): [number, Question, EdgeOptions][] => [
  [
    304,
    withHeaders(question, { 'If-None-Match': '*' }),
    { boards: [exampleBoard()], comments: [exampleComment()] },
  ],
  [400, withHeaders(question, { 'If-None-Match': '1' }), {}],
  [500, question, fail(new Error('bug'))],
  [503, question, fail(new UnavailableError('away'))],
];
const writeCases = (question: Question): [number, Question, EdgeOptions][] => [
  [400, withHeaders(question, badKey), {}],
  [409, question, refusing({ kind: 'key-running' })],
  [409, question, refusing({ kind: 'conflict', detail: 'Not in this state.' })],
  [422, question, refusing({ kind: 'key-reused' })],
  [422, question, refusing({ kind: 'invalid', violations })],
  [500, question, fail(new Error('bug'))],
  [503, question, fail(new UnavailableError('away'))],
];
const boardCases = (question: Question): [number, Question, EdgeOptions][] => [
  [404, question, refusing({ kind: 'missing' })],
  [410, question, refusing({ kind: 'deleted' })],
  [412, question, { handle: refuse({ kind: 'stale', version: 7 }) }],
];
const bodyCases = (question: Question): [number, Question, EdgeOptions][] => [
  [408, { ...question, unfinished: true }, { bodyDeadlineMs: 20 }],
  [413, { ...question, body: big }, {}],
  [415, withHeaders(question, { 'Content-Type': 'text/plain' }), {}],
];

const cases: [string, [number, Question, EdgeOptions][]][] = [
  [
    'GET /boards',
    [[200, { path: '/boards' }, { boards: [exampleBoard()] }], ...readCases({ path: '/boards' })],
  ],
  ['POST /boards', [[201, post, {}], ...writeCases(post), ...bodyCases(post)]],
  [
    'GET /boards/{id}',
    [
      [200, { path: one }, { boards: [exampleBoard()] }],
      [404, { path: one }, {}],
      [410, { path: one }, { boards: [exampleBoard({ deletedAt: new Date() })] }],
      ...readCases({ path: one }),
    ],
  ],
  [
    'PATCH /boards/{id}',
    [[200, patch, {}], ...writeCases(patch), ...bodyCases(patch), ...boardCases(patch)],
  ],
  ['DELETE /boards/{id}', [[204, remove, {}], ...writeCases(remove), ...boardCases(remove)]],
  [
    'POST /boards/{id}/comments',
    [
      [201, comment, { boards: [exampleBoard()] }],
      [404, comment, {}],
      [410, comment, { boards: [exampleBoard({ deletedAt: new Date() })] }],
      ...writeCases(comment),
      ...bodyCases(comment),
    ],
  ],
  [
    'GET /comments/{id}',
    [
      [200, { path: oneComment }, { comments: [exampleComment()] }],
      [404, { path: oneComment }, {}],
      [410, { path: oneComment }, { comments: [exampleComment({ deletedAt: new Date() })] }],
      ...readCases({ path: oneComment }),
    ],
  ],
  [
    'DELETE /comments/{id}',
    [
      [204, removeComment, {}],
      [404, removeComment, refusing({ kind: 'missing' })],
      [410, removeComment, refusing({ kind: 'deleted' })],
      [412, removeComment, refusing({ kind: 'stale', version: 7 })],
      ...writeCases(removeComment),
    ],
  ],
  [
    'GET /',
    [
      [201, legacy, {}],
      ...writeCases(legacy),
      [403, withHeaders(legacy, { 'Sec-Fetch-Site': 'cross-site' }), {}],
    ],
  ],
];

test('every documented operation is tried below', () => {
  expect(cases.map(([operation]) => operation).toSorted()).toEqual(
    operations(document.paths).toSorted(),
  );
});

test.each(cases)(
  '%s gives every documented response as it is documented',
  async (operation, asked) => {
    const seen = new Set<string>();
    for (const [status, question, options] of asked) {
      const edge = serveEdge(options);
      const answer = await edge.ask(question);
      expect([question, answer.status, answer.text]).toEqual([
        question,
        status,
        expect.any(String),
      ]);
      for (const name of edge.seen) seen.add(name);
    }
    const [method = '', path = ''] = operation.split(' ');
    const documented = Object.keys(document.paths[path]?.[method.toLowerCase()]?.responses ?? {});
    expect([...seen].toSorted()).toEqual(
      documented.map((status) => `${operation} ${status}`).toSorted(),
    );
  },
);

test('every method of a documented path is documented', async () => {
  for (const [named, methods] of Object.entries(document.paths)) {
    const path = named.replaceAll(/\{\w+\}/g, exampleBoard().id);
    const { headers } = await serveEdge().ask({ method: 'OPTIONS', path });
    const documented = Object.keys(methods).map((method) => method.toUpperCase());
    expect(headers.allow?.split(', ').filter((method) => method !== 'HEAD')).toEqual(
      documented.toSorted(),
    );
  }
});

const length = fc.constantFrom(0, 1, 100, 101, 200, 201, 240);
const text = fc
  .tuple(fc.constantFrom('a', '😀'), length)
  .map(([character, count]) => character.repeat(count));
const field = fc.oneof({ weight: 9, arbitrary: text }, fc.constantFrom(null, 1, ['a'], {}));
const fields = { title: field, content: field, text: field, author: field };
const anyBody = fc.oneof(
  { weight: 9, arbitrary: fc.record(fields, { requiredKeys: [] }) },
  fc.record({ ...fields, other: field }),
  fc.jsonValue(),
);

test.each([
  ['CreateBoard', 'POST', '/boards'],
  ['EditBoard', 'PATCH', one],
  ['AddComment', 'POST', comments],
])('the schema of %s and the service accept the same bodies', async (name, method, path) => {
  const schema = document.components.schemas[name];
  const validate = new Ajv2020({ strict: false, formats: { uuid: true } }).compile(schema ?? {});
  const edge = serveEdge({
    handle: async (command, context) => {
      if (command.kind === 'delete') return done(exampleBoard(), context);
      const { title = 'a', content = '' } = command;
      const violations = checkBoardText({
        title,
        content,
        author: command.kind === 'create' ? command.author : null,
      });
      if (violations.length > 0)
        return { kind: 'refused', refusal: { kind: 'invalid', violations } };
      return done(exampleBoard(), context);
    },
    handleComment: async (command, { answer }) => {
      const violations = command.kind === 'add-comment' ? checkComment(command) : [];
      if (violations.length > 0)
        return { kind: 'refused', refusal: { kind: 'invalid', violations } };
      return { kind: 'repeated', answer: answer(exampleComment()) };
    },
    boards: [exampleBoard()],
  });
  await fc.assert(
    fc.asyncProperty(anyBody, async (body) => {
      const taken = (await edge.send(method, path, body)).status < 300;
      expect(taken).toBe(validate(body));
    }),
    { numRuns: 300 },
  );
});
