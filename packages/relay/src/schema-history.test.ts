import { describe, expect, it } from 'vitest';
import { foldHistory, tableIdOf } from './schema-history.ts';

const outbox = tableIdOf('shop', 'outbox');
const record = (...tableChanges: readonly object[]): string =>
  JSON.stringify({ ddl: '...', tableChanges });
const table = (...names: readonly string[]) => ({
  columns: names.map((name, index) => ({ name, position: index + 1 })).toReversed(),
});

describe('the columns of a table in the schema history', () => {
  it('are those of its last change, in order', () => {
    const created = foldHistory(
      undefined,
      record({ type: 'CREATE', id: outbox, table: table('seq', 'id') }),
      outbox,
    );
    expect(created).toEqual(['seq', 'id']);
    const altered = record({ type: 'ALTER', id: outbox, table: table('seq', 'note', 'id') });
    expect(foldHistory(created, altered, outbox)).toEqual(['seq', 'note', 'id']);
  });

  it('are not changed by other tables, statements without a change, and foreign records', () => {
    const before = ['seq'];
    const other = record({ type: 'ALTER', id: tableIdOf('other', 'outbox'), table: table('x') });
    for (const value of [
      other,
      record(),
      JSON.stringify({ ddl: 'SET x = 1' }),
      'no JSON',
      '[]',
      'null',
    ])
      expect(foldHistory(before, value, outbox)).toBe(before);
  });

  it('are gone once it is dropped, or renamed away', () => {
    const aside = tableIdOf('shop', 'aside');
    expect(foldHistory(['seq'], record({ type: 'DROP', id: outbox }), outbox)).toBeUndefined();
    const renamed = record({ type: 'ALTER', id: aside, previousId: outbox, table: table('seq') });
    expect(foldHistory(['seq'], renamed, outbox)).toBeUndefined();
  });

  it('are those of a table that was renamed into its place', () => {
    const swapped = record(
      {
        type: 'ALTER',
        id: tableIdOf('shop', '_outbox_del'),
        previousId: outbox,
        table: table('seq'),
      },
      {
        type: 'ALTER',
        id: outbox,
        previousId: tableIdOf('shop', '_outbox_gho'),
        table: table('seq', 'new'),
      },
    );
    expect(foldHistory(['seq'], swapped, outbox)).toEqual(['seq', 'new']);
  });
});
