import { describe, expect, it } from 'vitest';
import { toHeaders } from '../testing/to-headers.ts';
import { identify } from './identity.ts';

const headers = (changes: Parameters<typeof toHeaders>[0] = {}) =>
  toHeaders({ id: 'e1', aggregateId: 'a1', version: '7', ...changes });

describe('identify', () => {
  it('keeps the aggregate with which the inbox tries itself to the inbox', () => {
    const probe = headers({ aggregateId: 'inbox-probe' });
    expect(identify(probe)).toEqual({ problem: 'the aggregate id inbox-probe is reserved' });
    expect(identify(probe, null)).toMatchObject({ aggregateId: 'inbox-probe' });
  });

  it('reads event, aggregate and version from the headers', () => {
    expect(identify(headers())).toEqual({ eventId: 'e1', aggregateId: 'a1', version: 7 });
  });

  it('takes the whole range of versions', () => {
    expect(identify(headers({ version: '4294967295' }))).toMatchObject({ version: 4294967295 });
  });

  it.each([
    ['no id', { id: undefined }],
    ['an empty id', { id: '' }],
    ['an id of 37 characters', { id: 'x'.repeat(37) }],
    ['a repeated id', { id: [Buffer.from('a'), Buffer.from('b')] }],
    ['a null aggregateId', { aggregateId: null }],
    ['an aggregateId of 65 characters', { aggregateId: 'x'.repeat(65) }],
    ['an aggregateId with a space, which MySQL could cut', { aggregateId: 'a ' }],
    ['an aggregateId beyond ASCII', { aggregateId: '글' }],
    ['no version', { version: undefined }],
    ['version 0', { version: '0' }],
    ['version 2^32', { version: '4294967296' }],
    ['a negative version', { version: '-1' }],
    ['a version with a leading zero', { version: '07' }],
    ['a version that is no number', { version: '1e3' }],
  ])('finds no identity in a record with %s', (_name, changes) => {
    expect(identify(headers(changes))).toHaveProperty('problem');
  });
});
