import { fileURLToPath } from 'node:url';
import { readdirSync } from 'node:fs';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { boardTopic, eventSchemas, schemaCompatibility, type BoardEvent, type BoardEventType } from './src/index.ts';

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
const examples: { readonly [T in BoardEventType]: Extract<BoardEvent, { type: T }> } = {
  BoardCreated: { type: 'BoardCreated', data: { ...state, version: 1 } },
  BoardEdited: { type: 'BoardEdited', data: { ...state, author: null } },
  BoardDeleted: { type: 'BoardDeleted', data: { ...state, deletedAt: state.updatedAt } },
};

const types = Object.keys(examples).sort();

function schemaOf(eventType: string): avro.Type {
  const found = eventSchemas.find((schema) => schema.eventType === eventType);
  if (found === undefined) throw new Error(`no schema for ${eventType}`);
  return avro.Type.forSchema(JSON.parse(found.schema));
}

describe('event schemas', () => {
  it('exist exactly once for every type of event', () => {
    expect(eventSchemas.map(({ eventType }) => eventType).sort()).toEqual(types);
  });

  it('are all the files in avro/', () => {
    const files = readdirSync(fileURLToPath(new URL('./avro', import.meta.url)));
    expect(files).toHaveLength(eventSchemas.length);
  });

  it.each(eventSchemas)('$eventType is kept under the topic and its full record name', ({ subject, eventType }) => {
    expect(subject).toBe(`${boardTopic.name}-${schemaOf(eventType).name}`);
    expect(schemaOf(eventType).name).toBe(`board.events.${eventType}`);
  });

  it.each(Object.values(examples))('carry a typed $type there and back UNCHANGED', ({ type, data }) => {
    const schema = schemaOf(type);
    const decoded: unknown = schema.fromBuffer(schema.toBuffer(data));
    expect(decoded).toEqual(data);
  });

  it.each(Object.values(examples))('have no field that $type does not have', ({ type, data }) => {
    const { fields } = JSON.parse(eventSchemas.find(({ eventType }) => eventType === type)?.schema ?? '{}') as {
      fields: { name: string }[];
    };
    expect(fields.map(({ name }) => name).sort()).toEqual(Object.keys(data).sort());
  });

  it.each(Object.values(examples))('REFUSE a $type without a title', ({ type, data }) => {
    const { title: _title, ...untitled } = data;
    expect(schemaOf(type).isValid(untitled)).toBe(false);
  });

  it('must stay readable by every version in both directions', () => {
    expect(schemaCompatibility).toBe('FULL_TRANSITIVE');
  });
});
