import { runMigrations } from '@board/database-kit';
import { createTestSchema } from '@board/test';
import { expect, inject, onTestFinished, test } from 'vitest';
import { migrations } from './migrations.ts';

const all = [
  'CreateBoardAndOutbox1764000000000',
  'CreateIdempotencyKeys1764100000000',
  'CreateEventSchema1764200000000',
];

test('TWO migrators at once do not collide: one works, the other finds nothing to do', async () => {
  const { connection, root, drop } = await createTestSchema(inject('stack'));
  onTestFinished(drop);
  const ran = await Promise.all([
    runMigrations(connection, migrations),
    runMigrations(connection, migrations),
    runMigrations(connection, migrations),
  ]);
  expect(ran.toSorted((one, other) => other.length - one.length)).toEqual([all, [], []]);
  const [tables] = await root.query('SHOW TABLES');
  expect(tables).toHaveLength(5);
});

test('a migration that died HALF-WAY runs again', async () => {
  const { connection, root, drop } = await createTestSchema(inject('stack'));
  onTestFinished(drop);
  await runMigrations(connection, migrations);
  await root.query('DROP TABLE outbox');
  await root.query('DELETE FROM migrations');
  expect(await runMigrations(connection, migrations)).toEqual(all);
});
