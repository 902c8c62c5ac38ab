import { expect, it } from 'vitest';
import { toHeaders } from '../../test/support/to-headers.ts';
import { isRecordOf } from '../fail/dead-letter-record.ts';

const origin = { topic: 'thing', partition: 1, offset: '9007199254740993' };
const from = (topic: string, partition: string, offset: string) => ({
  'kafka_dlt-original-topic': topic,
  'kafka_dlt-original-partition': partition,
  'kafka_dlt-original-offset': offset,
});

it('knows an event by its id, wherever this copy of it came from', () => {
  const letter = { eventId: 'e1', origin };
  expect(isRecordOf(letter, toHeaders({ id: Buffer.from('e1'), ...from('thing', '2', '7') }))).toBe(true);
  expect(isRecordOf(letter, toHeaders({ id: Buffer.from('e2'), ...from('thing', '1', '9007199254740993') }))).toBe(
    false,
  );
  expect(isRecordOf(letter, toHeaders(from('thing', '1', '9007199254740993')))).toBe(false);
});

it('knows a record without identity by the place where it first stood', () => {
  const letter = { eventId: null, origin };
  expect(isRecordOf(letter, toHeaders(from('thing', '1', '9007199254740993')))).toBe(true);
  expect(isRecordOf(letter, toHeaders(from('other', '1', '9007199254740993')))).toBe(false);
  expect(isRecordOf(letter, toHeaders(from('thing', '2', '9007199254740993')))).toBe(false);
  expect(isRecordOf(letter, toHeaders(from('thing', '1', '9007199254740992')))).toBe(false);
});
