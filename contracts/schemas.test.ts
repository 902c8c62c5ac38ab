import { fileURLToPath } from 'node:url';
import { readdirSync } from 'node:fs';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import {
  aggregates,
  eventSchemas,
  schemaCompatibility,
  type BoardEvent,
  type BoardEventType,
  type CommentEvent,
} from './src/index.ts';

const state = {
  id: '019a0000-0000-7000-8000-000000000001',
  version: 4_294_967_295,
  title: '게시판 🎉',
  content: 'line one\nline two \u{1F9D1}\u200D\u{1F680}',
  author: '홍길동',
  createdAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  updatedAt: Date.UTC(2026, 0, 2, 3, 4, 6, 789),
};

/** One of each: the compiler keeps this complete when a type is added. */
const boardExamples: { readonly [T in BoardEventType]: Extract<BoardEvent, { type: T }> } = {
  BoardCreated: { type: 'BoardCreated', data: { ...state, version: 1 } },
  BoardEdited: { type: 'BoardEdited', data: { ...state, author: null } },
  BoardDeleted: { type: 'BoardDeleted', data: { ...state, deletedAt: state.updatedAt } },
};

const { id, author, createdAt } = state;
const comment = { id, boardId: id };
const commentExamples: {
  readonly [T in CommentEvent['type']]: Extract<CommentEvent, { type: T }>;
} = {
  CommentAdded: {
    type: 'CommentAdded',
    data: { ...comment, version: 1, text: '댓글 🎉', author, createdAt },
  },
  CommentRemoved: {
    type: 'CommentRemoved',
    data: { ...comment, version: 2, removedAt: createdAt },
  },
};

const examples = [...Object.values(boardExamples), ...Object.values(commentExamples)];

function schemaOf(eventType: string): avro.Type {
  const found = eventSchemas.find((schema) => schema.eventType === eventType);
  if (found === undefined) throw new Error(`no schema for ${eventType}`);
  return avro.Type.forSchema(JSON.parse(found.schema));
}

describe('event schemas', () => {
  it('have one type of event each', () => {
    const types = eventSchemas.map(({ eventType }) => eventType);
    expect(new Set(types).size).toBe(types.length);
  });

  it('are all the files in avro/', () => {
    const files = readdirSync(fileURLToPath(new URL('./avro', import.meta.url)));
    expect(files).toHaveLength(eventSchemas.length);
  });

  it.each(aggregates)(
    'of $type are kept under the topic and their full record names',
    ({ type, topic, schemas }) => {
      expect(topic.name).toBe(type);
      for (const { subject, eventType } of schemas) {
        expect(schemaOf(eventType).name).toBe(`${type}.events.${eventType}`);
        expect(subject).toBe(`${type}-${type}.events.${eventType}`);
      }
    },
  );

  it('have an example each', () => {
    expect(examples.map(({ type }) => type).toSorted()).toEqual(
      eventSchemas.map(({ eventType }) => eventType).toSorted(),
    );
  });

  it.each(examples)('encode and decode a typed $type without a change', ({ type, data }) => {
    const schema = schemaOf(type);
    const decoded: unknown = schema.fromBuffer(schema.toBuffer(data));
    expect(decoded).toEqual(data);
  });

  it.each(examples)('have no field that $type does not have', ({ type, data }) => {
    const { fields } = JSON.parse(
      eventSchemas.find(({ eventType }) => eventType === type)?.schema ?? '{}',
    ) as {
      fields: { name: string }[];
    };
    expect(fields.map(({ name }) => name).sort()).toEqual(Object.keys(data).sort());
  });

  it.each(Object.values(boardExamples))('refuse a $type without a title', ({ type, data }) => {
    const { title: _title, ...untitled } = data;
    expect(schemaOf(type).isValid(untitled)).toBe(false);
  });

  it('must be readable by every version in both directions', () => {
    expect(schemaCompatibility).toBe('FULL_TRANSITIVE');
  });
});
