import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { layOutVersion } from '../upgrade/lay-out-version.ts';
import { editsOf, plantNames } from './plants.ts';

test.for([
  ['the refusing handler', undefined] as const,
  ...plantNames.map((plant) => [plant, plant] as const),
])('the shipped source still has every line that %s changes', ([, plant]) => {
  const edits = editsOf(plant);
  const version = layOutVersion(edits);
  onTestFinished(() => version.remove());
  expect(edits.length).toBeGreaterThan(0);
});

test('a planted bug whose line is gone fails before anything runs, and leaves no copy', () => {
  const [edit] = editsOf('offset-before-database').slice(-1);
  if (edit === undefined) throw new Error('no edit');
  const folder = mkdtempSync(join(tmpdir(), 'board-plants-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(() => layOutVersion([{ ...edit, from: 'a line that is not there' }])).toThrow(
    'has this text 0 times, not once: a line that is not there',
  );
  expect(readdirSync(folder)).toEqual([]);
});
