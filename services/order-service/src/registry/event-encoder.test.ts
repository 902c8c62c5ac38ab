import { eventSchemas, type BoardCreated } from '@board/contracts';
import { UnavailableError } from '@board/service';
import avro from 'avsc';
import { expect, test } from 'vitest';
import { createEventEncoder } from './event-encoder.ts';

const now = new Date('2026-01-02T03:04:05.678Z');
const epochs = { createdAt: now.getTime(), updatedAt: now.getTime() };
const data = { id: 'a', version: 1, title: '제목 😀', content: '', author: null, ...epochs };
const event: BoardCreated = { type: 'BoardCreated', data };
const ids = new Map(eventSchemas.map(({ subject }, index) => [subject, 0x01020304 + index]));

function encoderWithIds() {
  const encoder = createEventEncoder(eventSchemas);
  encoder.useIds(ids);
  return encoder;
}

test('an encoded event is the magic byte, the registered id and the Avro record', () => {
  const bytes = encoderWithIds().encode(event);
  expect([...bytes.subarray(0, 5)]).toEqual([0, 1, 2, 3, 4]);
  const type = avro.Type.forSchema(JSON.parse(eventSchemas[0]?.schema ?? ''));
  expect(type.fromBuffer(bytes.subarray(5))).toMatchObject({ ...data, author: null });
});

test('encoding throws UnavailableError before the ids are known', () => {
  expect(() => createEventEncoder(eventSchemas).encode(event)).toThrow(UnavailableError);
});

test('encoding throws when the event breaks its schema', () => {
  const broken = { ...data, title: undefined } as unknown as BoardCreated['data'];
  expect(() => encoderWithIds().encode({ type: 'BoardCreated', data: broken })).toThrow(
    'invalid "string"',
  );
});

test('an encoder refuses two schemas with the same event type', () => {
  const [schema] = eventSchemas;
  if (!schema) throw new Error('there is no schema');
  const other = { ...schema, subject: 'other' };
  expect(() => createEventEncoder([...eventSchemas, other])).toThrow(
    `stands for two schemas: ${schema.subject} and other`,
  );
});
