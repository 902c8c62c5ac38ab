import { runMigrations } from '@board/mysql';
import { createTestSchema, type TestSchema } from '@board/test';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { migrations } from '../../services/catalog-service/src/database/migrations.ts';
import { catalogConsumer } from '@board/contracts';
import { deleteRows, seedCatalog } from '../commands/consumer/consumers.ts';

let schema: TestSchema;
beforeEach(async () => {
  schema = await createTestSchema(inject('stack'));
  await runMigrations(schema.connection, migrations);
});
afterEach(() => schema.drop());

const tx = {
  query: async (sql: string, values?: unknown[]) => (await schema.root.query(sql, values))[0],
};
const row = (id: string, version: number, createdAt: string, deletedAt: string | null = null) => ({
  aggregateId: id.padEnd(36, '0'),
  version,
  eventId: 'event',
  data: {
    title: '제목 🎉',
    content: 'text',
    author: null,
    createdAt,
    updatedAt: createdAt,
    deletedAt,
  },
});

it('seedCatalog stores boards as if events had been applied, deleteRows removes them', async () => {
  await seedCatalog(tx, [
    row('a', 3, '2026-01-01T23:30:00-02:00'),
    row('b', 1, '2026-01-02T08:00:00.123Z', '2026-01-03T00:00:00Z'),
  ]);
  await seedCatalog(tx, [row('c', 1, '2026-01-02T09:00:00Z')]);
  expect(
    await tx.query(
      `SELECT LEFT(id, 1) AS id, version, title, applied_count, created_at FROM catalog
        ORDER BY id`,
    ),
  ).toEqual([
    {
      id: 'a',
      version: 3,
      title: '제목 🎉',
      applied_count: 3,
      created_at: new Date('2026-01-02T01:30:00Z'),
    },
    {
      id: 'b',
      version: 1,
      title: '제목 🎉',
      applied_count: 1,
      created_at: new Date('2026-01-02T08:00:00.123Z'),
    },
    {
      id: 'c',
      version: 1,
      title: '제목 🎉',
      applied_count: 1,
      created_at: new Date('2026-01-02T09:00:00Z'),
    },
  ]);
  expect(
    await tx.query("SELECT DATE_FORMAT(day, '%Y-%m-%d') AS day, created FROM created_per_day"),
  ).toEqual([{ day: '2026-01-02', created: 3 }]);
  await deleteRows(tx, catalogConsumer.tables);
  expect(
    await tx.query(
      'SELECT (SELECT COUNT(*) FROM catalog) + (SELECT COUNT(*) FROM created_per_day) AS kept',
    ),
  ).toEqual([{ kept: 0 }]);
});

it('seedCatalog names the board and the field that cannot be used', async () => {
  const wrong = row('a', 1, 'yesterday');
  await expect(seedCatalog(tx, [wrong])).rejects.toThrow(/^board a0+: data\.createdAt: /);
});
