import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkout } from '../../stack/instance/instance.ts';

/**
 * A URL's path is encoded: below a folder with a space in its name it names a file that is not
 * there.
 */
const pathOfUrl = /import\.meta\.url\s*\)\s*\.pathname/;

it('no file takes the path of its URL for a path of the file system', () => {
  const listed = execFileSync(
    'git',
    ['-c', 'safe.directory=*', 'ls-files', '*.ts', '*.mts', '*.mjs', '*.cjs'],
    {
      cwd: checkout,
      encoding: 'utf8',
    },
  );
  const files = listed
    .split('\n')
    .filter((file) => file !== '' && existsSync(join(checkout, file)));
  expect(files.length).toBeGreaterThan(500);
  expect(
    files.filter((file) => pathOfUrl.test(readFileSync(join(checkout, file), 'utf8'))),
  ).toEqual([]);
});
