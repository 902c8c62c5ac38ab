import { createDatabase, runMigrations } from '@board/mysql';
import { costlier, measureReads } from '@board/mysql/testing';
import { createTestSchema } from '@board/test';
import { expect, inject, onTestFinished, test } from 'vitest';
import { catalogTable, createCatalogReader } from '../src/database/catalog-table.ts';
import { migrations } from '../src/database/migrations.ts';

const rows = 100_000;

async function open() {
  const schema = await createTestSchema(inject('stack'));
  onTestFinished(schema.drop);
  await runMigrations(schema.connection, migrations);
  const database = createDatabase({
    connection: schema.connection,
    entities: [catalogTable],
    poolSize: 1,
  });
  onTestFinished(() => database.close());
  await database.open();
  const fill = async (count: number, content: string, deletedUpTo: number): Promise<void> => {
    await schema.root.query(
      `INSERT INTO catalog (id, version, title, content, created_at, updated_at, deleted_at, applied_count)
       WITH RECURSIVE number AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM number WHERE n < ?)
       SELECT CONCAT('019b0000-0000-7000-8000-', LPAD(n, 12, '0')), 1, 'title', ${content}, NOW(3), NOW(3),
         IF(n <= ?, NOW(3), NULL), 1 FROM number`,
      [count, deletedUpTo],
    );
    // On a busy server InnoDB takes a while to see that the table is not empty any more.
    await schema.root.query('ANALYZE TABLE catalog');
  };
  await schema.root.query('SET SESSION cte_max_recursion_depth = ?', [rows]);
  return { fill, reader: createCatalogReader(database), costs: measureReads(database.dataSource) };
}

test('a page of the catalog costs a page, however many boards before it were deleted', async () => {
  const { fill, reader, costs } = await open();
  await fill(rows, "''", rows - 250);
  const seen: string[] = [];
  let after = '';
  for (;;) {
    const { boards, next } = await reader.list(after, 100);
    seen.push(...boards.map(({ id }) => id));
    if (next === null) break;
    after = next;
  }
  expect(seen).toHaveLength(250);
  expect(seen).toEqual(seen.toSorted());
  expect(costs.length).toBeGreaterThan(5);
  expect(costlier(costs, 500)).toEqual([]);
});

test('a page of full boards is half a MiB and reads no more than it shows', async () => {
  const { fill, reader } = await open();
  await fill(30, "REPEAT('x', 65000)", 0);
  const page = await reader.list('', 200);
  expect(page.boards).toHaveLength(8);
  expect(page.next).toBe(page.boards.at(-1)?.id);
});
