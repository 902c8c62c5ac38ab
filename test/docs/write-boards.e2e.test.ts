import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { waitUntil } from '@board/test';
import { expect, inject, it } from 'vitest';
import { readCommands } from './read-commands.ts';

const stack = inject('stack');
const run = promisify(execFile);

it('posts, repeats, edits and deletes a board as docs/api.md says, and the catalog follows', async () => {
  const { stdout } = await run('bash', [
    '-eu',
    '-o',
    'pipefail',
    '-c',
    readCommands('docs/api.md', 'Write boards', stack),
  ]);
  const [created = '', repeated, edited = '', late = '', deleted, gone = ''] = stdout.split('\n');
  const board = JSON.parse(created) as { id: string };
  expect(board).toMatchObject({
    version: 1,
    title: '첫 글 ✍️',
    content: '안녕하세요',
    author: '민지',
  });
  expect(repeated).toBe('the same board, not a second one');
  expect(JSON.parse(edited)).toMatchObject({
    id: board.id,
    version: 2,
    title: '고친 글',
    content: '안녕하세요',
  });
  expect(JSON.parse(late)).toMatchObject({ status: 412 });
  expect(deleted).toBe('204');
  expect(JSON.parse(gone)).toMatchObject({ status: 410 });

  await waitUntil('the catalog knows of the deletion', async () => {
    const answers = await Promise.all(
      stack.catalogUrls.map((url) => fetch(`${url}/catalog/${board.id}`)),
    );
    return answers.every(({ status }) => status === 410);
  });
});
