import { expect, it } from 'vitest';
import { findFolderCycles } from './find-folder-cycles.ts';

/** Modules by path, each with what it imports. */
const cruised = (imports: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(imports).map(([source, to]) => ({
    source,
    dependencies: to.map((resolved) => ({ resolved })),
  }));

it('finds a cycle of folders that no cycle of files shows', () => {
  const modules = cruised({
    'p/src/consume/loop.ts': ['p/src/apply/batch.ts'],
    'p/src/apply/batch.ts': ['p/src/fail/route.ts'],
    'p/src/fail/retry.ts': ['p/src/consume/wait.ts'],
  });
  expect(findFolderCycles(modules)).toEqual([
    ['p/src/consume', 'p/src/apply', 'p/src/fail', 'p/src/consume'],
  ]);
});

it('allows two ways to one folder, files of src itself, tests and other packages', () => {
  const modules = cruised({
    'p/src/consume/loop.ts': ['p/src/apply/batch.ts', 'p/src/fail/route.ts', 'p/src/inbox.ts'],
    'p/src/apply/batch.ts': ['p/src/fail/route.ts', 'p/src/apply/drain.ts'],
    'p/src/inbox.ts': ['p/src/consume/loop.ts', 'p/src/apply/batch.ts'],
    'p/src/fail/route.test.ts': ['p/src/apply/batch.ts'],
    'q/src/fail/route.ts': ['p/src/apply/batch.ts'],
  });
  expect(findFolderCycles(modules)).toEqual([]);
});
