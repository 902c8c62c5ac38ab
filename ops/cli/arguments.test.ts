import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createFile, requireFile } from './arguments.ts';
import { UsageError } from './program.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'named-'));
  writeFileSync(join(folder, 'there'), 'kept');
});
afterEach(() => rmSync(folder, { recursive: true }));

it('a file to read must exist and must not be a folder', async () => {
  await requireFile('--logs', join(folder, 'there'));
  const gone = join(folder, 'gone');
  await expect(requireFile('--logs', gone)).rejects.toThrow(
    new UsageError(`--logs names ${gone}, and there is no such file.`),
  );
  await expect(requireFile('--logs', folder)).rejects.toThrow(
    new UsageError(`--logs names ${folder}, which is a folder: name a file.`),
  );
});

it('a file to write is created, and an existing file is left alone', async () => {
  const file = join(folder, 'new');
  const stream = await createFile('--out', file);
  stream.end('text');
  await once(stream, 'close');
  expect(readFileSync(file, 'utf8')).toBe('text');

  const there = join(folder, 'there');
  await expect(createFile('--out', there)).rejects.toThrow(
    new UsageError(`--out names ${there}, which exists already: choose another name.`),
  );
  expect(readFileSync(there, 'utf8')).toBe('kept');
  const nowhere = join(folder, 'gone/new');
  await expect(createFile('--out', nowhere)).rejects.toThrow(
    new UsageError(
      `--out names ${nowhere}, and there is no folder ${join(folder, 'gone')}: make it, or ` +
        'choose another.',
    ),
  );
});
