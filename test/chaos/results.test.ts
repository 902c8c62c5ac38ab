import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { describeCommit, findResult, nameOf, storeResult, type RunSettings } from './results.ts';
import type { ChaosResult } from './results.ts';

const settings: RunSettings = {
  seed: 7,
  minutes: 3,
  clients: 12,
  instance: undefined,
  plant: undefined,
  isReplay: false,
};
const clean = { seed: 7, verdict: 'clean' } as ChaosResult;

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'board-results-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('a result is found again for the same commit and settings, and for no others', () => {
  const folder = makeFolder();
  storeResult(folder, ['abc', 'abc'], settings, clean);
  expect(findResult(folder, 'abc', settings)).toEqual(clean);
  expect(findResult(folder, 'abd', settings)).toBeUndefined();
  for (const change of [
    { seed: 8 },
    { minutes: 1 },
    { clients: 4 },
    { plant: 'retry-after-offset' as const },
  ])
    expect(findResult(folder, 'abc', { ...settings, ...change })).toBeUndefined();
});

test('a replay and a running instance are never the result of a seed', () => {
  const folder = makeFolder();
  for (const change of [{ isReplay: true }, { instance: 'main' }]) {
    storeResult(folder, ['abc', 'abc'], { ...settings, ...change }, clean);
    expect(findResult(folder, 'abc', { ...settings, ...change })).toBeUndefined();
    expect(findResult(folder, 'abc', settings)).toBeUndefined();
    expect(nameOf({ ...settings, ...change })).not.toBe(nameOf(settings));
  }
});

test('a run that proves nothing is not kept, nor one of a tree with changes', () => {
  const folder = makeFolder();
  storeResult(folder, ['abc', 'abc'], settings, { ...clean, verdict: 'not run' });
  storeResult(folder, ['abc-dirty', 'abc-dirty'], settings, clean);
  expect(findResult(folder, 'abc', settings)).toBeUndefined();
  expect(findResult(folder, 'abc-dirty', settings)).toBeUndefined();
});

test('a run during which the checkout changed is the result of no commit', () => {
  const [folder, checkout] = [makeFolder(), makeFolder()];
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: checkout });
  const commit = (text: string): string => {
    writeFileSync(join(checkout, 'file'), text);
    git('add', '.');
    git('commit', '-qm', text);
    return describeCommit(checkout);
  };
  git('init', '-q');
  const before = commit('one');
  writeFileSync(join(checkout, 'file'), 'changed');
  storeResult(folder, [before, describeCommit(checkout)], settings, clean);
  expect(findResult(folder, before, settings)).toBeUndefined();
  const after = commit('two');
  storeResult(folder, [before, after], settings, clean);
  expect(findResult(folder, before, settings)).toBeUndefined();
  expect(findResult(folder, after, settings)).toBeUndefined();
});

test('a result that was cut is not there', () => {
  const folder = makeFolder();
  storeResult(folder, ['abc', 'abc'], settings, clean);
  writeFileSync(join(folder, 'abc', `${nameOf(settings)}.json`), '{"seed": 7, "verd');
  expect(findResult(folder, 'abc', settings)).toBeUndefined();
});
