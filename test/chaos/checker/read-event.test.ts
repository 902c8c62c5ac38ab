import { boardAggregate } from '@board/contracts';
import avsc from 'avsc';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readEvent } from './read-event.ts';

const data = fc.record({
  id: fc.uuid(),
  version: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  title: fc.string({ unit: 'grapheme' }),
  content: fc.string({ unit: 'grapheme', maxLength: 300 }),
  author: fc.option(fc.string({ unit: 'grapheme' })),
  createdAt: fc.integer({ min: 0, max: 2 ** 48 }),
  updatedAt: fc.integer({ min: 0, max: 2 ** 48 }),
  deletedAt: fc.integer({ min: 0, max: 2 ** 48 }),
});

const types = boardAggregate.schemas.map(
  ({ eventType, schema }) =>
    [eventType, avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema)] as const,
);

test.for(types)('a %s is read as its schema writes it', ([eventType, type]) => {
  fc.assert(
    fc.property(data, (state) => {
      const payload = Buffer.concat([Buffer.alloc(5), type.toBuffer(state)]);
      const deletedAt = eventType === 'BoardDeleted' ? state.deletedAt : null;
      expect(readEvent(eventType, payload)).toEqual({ ...state, deletedAt });
      for (const end of [3, 7, payload.length - 1])
        expect(readEvent(eventType, payload.subarray(0, end))).toHaveProperty('problem');
      expect(readEvent(eventType, Buffer.concat([payload, Buffer.alloc(1)]))).toEqual({
        problem: 'it has 1 bytes too many',
      });
    }),
  );
});

test('a payload with another first byte is a problem', () => {
  expect(readEvent('BoardCreated', Buffer.from([1, 0, 0, 0, 1]))).toEqual({
    problem: 'it begins with byte 1, not with 0',
  });
});
