import { createDatabase, runMigrations } from '@board/mysql';
import { createTestSchema } from '@board/test';
import { expect, inject, it, onTestFinished } from 'vitest';
import { catalogTable, catalogWriter, createCatalogReader } from '../src/database/catalog-table.ts';
import { migrations } from '../src/database/migrations.ts';
import type { CatalogChange } from '../src/domain/catalog-board.ts';

const at = new Date('2026-01-02T03:04:05.678Z');
const idOf = (n: number): string => `019b0000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const change = (
  n: number,
  version: number,
  changes: Partial<CatalogChange['board']> = {},
): CatalogChange => ({
  board: {
    id: idOf(n),
    version,
    title: `글 ${version} 🧵`,
    content: 'x',
    author: null,
    createdAt: at,
    updatedAt: at,
    deletedAt: null,
    ...changes,
  },
  createdOn: version === 1 ? '2026-01-02' : undefined,
});

async function open() {
  const schema = await createTestSchema(inject('stack'));
  onTestFinished(() => schema.drop());
  await runMigrations(schema.connection, migrations);
  const database = createDatabase({ connection: schema.connection, entities: [catalogTable] });
  onTestFinished(() => database.close());
  await database.open();
  return {
    apply: (...changes: CatalogChange[]) =>
      database.transaction((tx) => catalogWriter.apply(tx, changes)),
    reader: createCatalogReader(database),
  };
}

it('counts every application of a board, also several in one batch and one that comes twice', async () => {
  const { apply, reader } = await open();
  await apply(change(1, 1), change(2, 1), change(1, 2));
  await apply(change(1, 2));
  expect(await reader.find(idOf(1))).toMatchObject({
    version: 2,
    title: '글 2 🧵',
    appliedCount: 3,
  });
  expect(await reader.find(idOf(2))).toMatchObject({ version: 1, appliedCount: 1 });
  expect(await reader.createdPerDay(10)).toEqual([{ day: '2026-01-02', created: 2 }]);
});

it('lists boards that are not deleted, by id, in pages', async () => {
  const { apply, reader } = await open();
  await apply(change(3, 1), change(1, 1), change(2, 1, { deletedAt: at }));
  expect((await reader.list('', 1)).boards.map(({ id }) => id)).toEqual([idOf(1)]);
  expect((await reader.list(idOf(1), 5)).boards.map(({ id }) => id)).toEqual([idOf(3)]);
  expect(await reader.find(idOf(2))).toMatchObject({ deletedAt: at });
});
