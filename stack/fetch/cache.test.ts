import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cacheFolder, ensureCached, findCached } from './cache.ts';

let base = '';
const quiet = (): void => undefined;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'stack-cache-'));
  vi.stubEnv('XDG_CACHE_HOME', base);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(base, { recursive: true });
});

test('a folder is built once when several callers ask at the same moment', async () => {
  let builds = 0;
  const build = async (folder: string) => {
    builds += 1;
    writeFileSync(join(folder, 'file'), 'x');
    return {};
  };
  const [first, second] = await Promise.all([
    ensureCached('thing', quiet, build),
    ensureCached('thing', quiet, build),
  ]);
  expect(builds).toBe(1);
  expect(second).toBe(first);
  expect(existsSync(join(first, 'file'))).toBe(true);
});

test('a build that fails leaves nothing, and the next one starts afresh', async () => {
  const failing = ensureCached('thing', quiet, (folder) => {
    writeFileSync(join(folder, 'half'), 'x');
    return Promise.reject(new Error('the line broke'));
  });
  await expect(failing).rejects.toThrow('the line broke');
  expect(findCached('thing')).toBeUndefined();
  expect(readdirSync(cacheFolder())).toEqual([]);
  const folder = await ensureCached('thing', quiet, () => Promise.resolve({}));
  expect(existsSync(join(folder, 'half'))).toBe(false);
});

test('what a killed fetcher left half-made is removed, and never taken for complete', async () => {
  mkdirSync(join(cacheFolder(), 'thing.making-1'), { recursive: true });
  mkdirSync(join(cacheFolder(), 'thing'));
  expect(findCached('thing')).toBeUndefined();
  await ensureCached('thing', quiet, () => Promise.resolve({}));
  expect(readdirSync(cacheFolder())).toEqual(['thing']);
});
