import { compareInterruptedRuns } from '@board/mysql/testing';
import { createTestSchema } from '@board/test';
import { expect, inject, onTestFinished, test } from 'vitest';
import { migrations } from '../src/database/migrations.ts';

test('migrations whose connection is killed after any statement run again, to the same tables', async () => {
  const { connection, root, drop } = await createTestSchema(inject('stack'));
  onTestFinished(drop);
  const { undisturbed, interrupted } = await compareInterruptedRuns(connection, root, migrations);
  expect(Object.keys(undisturbed)).toEqual(
    expect.arrayContaining(['catalog', 'dead_letter', 'mark', 'migrations']),
  );
  expect(interrupted.length).toBeGreaterThan(migrations.length);
  for (const { statements, firstRun, schema } of interrupted)
    expect({ statements, firstRun, schema }).toEqual({
      statements,
      firstRun: 'failed',
      schema: undisturbed,
    });
});
