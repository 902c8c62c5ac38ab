import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it.each(['apply', 'scale', 'producer'])(
  'bench %s ends with one sentence and exit code 1 when the stack does not run',
  (command) => {
    const args = [join(import.meta.dirname, 'cli.ts'), '--instance', 'no-such-stack', command];
    expect(spawnSync(process.execPath, args, { encoding: 'utf8' })).toMatchObject({
      status: 1,
      stdout: '',
      stderr:
        'The stack "no-such-stack" does not run: start it with "npm start -- --instance ' +
        'no-such-stack".\n',
    });
  },
);
