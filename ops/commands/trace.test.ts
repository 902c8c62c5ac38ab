import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('trace reports a missing log file before it asks any server', () => {
  const args = [
    join(import.meta.dirname, 'trace.ts'),
    'a-board',
    '--instance',
    'no-such-stack',
    '--logs',
    '/nope',
  ];
  expect(spawnSync(process.execPath, args, { encoding: 'utf8', env: {} })).toMatchObject({
    status: 2,
    stdout: '',
    stderr: '--logs names /nope, and there is no such file.\n',
  });
});
