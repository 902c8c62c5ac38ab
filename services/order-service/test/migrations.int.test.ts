import { aggregates } from '@board/contracts';
import { runMigrations } from '@board/mysql';
import { compareInterruptedRuns } from '@board/mysql/testing';
import { createTestSchema } from '@board/test';
import { expect, inject, onTestFinished, test } from 'vitest';
import { migrations } from '../src/database/migrations.ts';

const all = migrations.map((Migration) => new Migration().name);
/** Released migrations: none may be renamed, moved or dropped; later ones follow. */
const known = [
  'CreateBoardAndOutbox1764000000000',
  'CreateIdempotencyKeys1764100000000',
  'CreateEventSchema1764200000000',
  'IndexLiveBoards1764410000000',
  'CreateComments1764500000000',
];
const tables = [
  ...aggregates.map(({ table }) => table),
  'event_schema',
  'idempotency_key',
  'migrations',
  'outbox',
];

test('the names and the order of the migrations stay as they were released', () => {
  expect(all.slice(0, known.length)).toEqual(known);
});

test('one of two migrators at once does the work, and the other finds nothing to do', async () => {
  const { connection, root, drop } = await createTestSchema(inject('stack'));
  onTestFinished(drop);
  const ran = await Promise.all([
    runMigrations(connection, migrations),
    runMigrations(connection, migrations),
    runMigrations(connection, migrations),
  ]);
  expect(ran.toSorted((one, other) => other.length - one.length)).toEqual([all, [], []]);
  const [found] = await root.query('SHOW TABLES');
  expect(found).toHaveLength(tables.length);
});

test('migrations whose connection is killed after any statement run again, to the same tables', async () => {
  const { connection, root, drop } = await createTestSchema(inject('stack'));
  onTestFinished(drop);
  const { undisturbed, interrupted } = await compareInterruptedRuns(connection, root, migrations);
  expect(Object.keys(undisturbed)).toEqual(tables.toSorted());
  expect(interrupted.length).toBeGreaterThan(migrations.length);
  for (const { statements, firstRun, schema } of interrupted)
    expect({ statements, firstRun, schema }).toEqual({
      statements,
      firstRun: 'failed',
      schema: undisturbed,
    });
});
