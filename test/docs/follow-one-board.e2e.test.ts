import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { waitUntil } from '@board/test';
import { expect, inject, it } from 'vitest';
import { readCommands } from './read-commands.ts';

const stack = inject('stack');
const run = promisify(execFile);

it('follows a board as the README says: from the request to the catalog, with every place and time', async () => {
  const { stdout } = await run('bash', [
    '-eu',
    '-o',
    'pipefail',
    '-c',
    readCommands('README.md', 'Try it', stack),
  ]);
  const [, boardId = ''] =
    /^Board (\S+): version 1; consumer catalog has come to version \d+\.$/m.exec(stdout) ?? [];
  expect(stdout).toContain('version 1  BoardCreated: ');

  const trace = async (id: string) =>
    JSON.parse(
      (
        await run(process.execPath, [
          'ops/commands/trace.ts',
          id,
          '--instance',
          stack.instance,
          '--json',
        ])
      ).stdout,
    ) as {
      events: { version: number; outcome: string; steps: { kind: string }[] }[];
    };
  const events = await waitUntil('the board in the catalog', async () => {
    const traced = await trace(boardId);
    return traced.events[0]?.outcome === 'applied' && traced.events;
  });
  expect(events).toMatchObject([{ version: 1, outcome: 'applied', notFound: [] }]);
  expect(events[0]?.steps.map(({ kind }) => kind)).toEqual([
    'received',
    'committed',
    'in topic',
    'applied',
  ]);
});

it('says so when there is no such board', async () => {
  const id = '00000000-0000-7000-8000-000000000000';
  await expect(
    run(process.execPath, ['ops/commands/trace.ts', id, '--instance', stack.instance]),
  ).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: `There is no ${id}: neither its own service nor a consumer knows it.\n`,
  });
});
