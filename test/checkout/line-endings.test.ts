import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkout } from '../../stack/instance/instance.ts';

const folder = mkdtempSync(join(tmpdir(), 'autocrlf-'));
const clone = join(folder, 'clone');
afterAll(() => rmSync(folder, { recursive: true }));

function git(cwd: string, ...args: string[]): string {
  // The checkout may belong to another user, as in a container.
  return execFileSync('git', ['-c', 'safe.directory=*', ...args], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
}

beforeAll(() => {
  git(
    checkout,
    'clone',
    '--quiet',
    '--no-hardlinks',
    '--config',
    'core.autocrlf=true',
    checkout,
    clone,
  );
}, 60_000);

it('a clone with core.autocrlf=true has no CR in any text', () => {
  const texts = git(clone, 'ls-files', '--eol', '-z')
    .split('\0')
    .filter((entry) => entry !== '' && !entry.startsWith('i/-text'));
  expect(texts.length).toBeGreaterThan(500);
  expect(texts.filter((entry) => !/^i\/(lf|none)\s+w\/(lf|none)\s/.test(entry))).toEqual([]);
});

it.each(['infra/kafka/start-broker.sh', '.ci/run', 'Dockerfile'])(
  'the clone has %s byte for byte, with its mode',
  (file) => {
    expect(readFileSync(join(clone, file))).toEqual(
      Buffer.from(git(checkout, 'show', `HEAD:${file}`)),
    );
    const [mode = ''] = git(checkout, 'ls-files', '--stage', file).split(' ');
    expect((statSync(join(clone, file)).mode & 0o111) !== 0).toBe(mode === '100755');
  },
);
