import { createDatabase, runMigrations } from '@board/mysql';
import { costlier, measureReads } from '@board/mysql/testing';
import { createTestSchema } from '@board/test';
import { expect, inject, onTestFinished, test } from 'vitest';
import { boardTable, createBoardReader } from '../src/database/aggregate-store.ts';
import { migrations } from '../src/database/migrations.ts';

const rows = 100_000;

async function open() {
  const schema = await createTestSchema(inject('stack'));
  onTestFinished(schema.drop);
  await runMigrations(schema.connection, migrations);
  const database = createDatabase({
    connection: schema.connection,
    entities: [boardTable],
    poolSize: 1,
  });
  onTestFinished(() => database.close());
  await database.open();
  const fill = async (count: number, content: string, deletedFrom: number): Promise<void> => {
    await schema.root.query(
      `INSERT INTO board (id, version, title, content, created_at, updated_at, deleted_at)
       WITH RECURSIVE number AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM number WHERE n < ?)
       SELECT CONCAT('019b0000-0000-7000-8000-', LPAD(n, 12, '0')), 1, 'title', ${content}, NOW(3), NOW(3),
         IF(n > ?, NOW(3), NULL) FROM number`,
      [count, deletedFrom],
    );
    // On a busy server InnoDB takes a while to see that the table is not empty any more.
    await schema.root.query('ANALYZE TABLE board');
  };
  await schema.root.query('SET SESSION cte_max_recursion_depth = ?', [rows]);
  return { fill, reader: createBoardReader(database), costs: measureReads(database.dataSource) };
}

test('a page of the list costs a page, however many of the newest boards were deleted', async () => {
  const { fill, reader, costs } = await open();
  await fill(rows, "''", 250);
  const seen: string[] = [];
  let before: string | undefined;
  for (;;) {
    const { boards, next } = await reader.list({ before, limit: 100 });
    seen.push(...boards.map(({ id }) => id));
    if (next === null) break;
    before = next;
  }
  expect(seen).toHaveLength(250);
  expect(seen).toEqual(seen.toSorted().toReversed());
  expect(costs.length).toBeGreaterThan(5);
  expect(costlier(costs, 500)).toEqual([]);
});

test('a page of long boards is half a MiB and reads no more than it shows', async () => {
  const { fill, reader } = await open();
  await fill(30, "REPEAT('x', 65000)", 30);
  const page = await reader.list({ limit: 100 });
  expect(page.boards).toHaveLength(8);
  expect(page.next).toBe(page.boards.at(-1)?.id);
});
