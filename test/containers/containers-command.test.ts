import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkout, readCompose } from './read-compose.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'containers-'));
  cpSync(join(checkout, 'docker-compose.yml'), join(folder, 'docker-compose.yml'));
  for (const file of ['containers.mjs', 'judge-containers.mjs']) {
    cpSync(join(checkout, 'deploy', file), join(folder, 'deploy', file));
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

const containers = (...args: string[]) =>
  spawnSync(process.execPath, [join(folder, 'deploy/containers.mjs'), ...args], {
    encoding: 'utf8',
    // Nobody's docker is on this PATH.
    env: { PATH: folder },
  });

it('`secrets` makes each secret of docker-compose.yml ONCE, behind a folder that only its owner enters', () => {
  expect(containers('secrets')).toMatchObject({ status: 0, stdout: expect.stringContaining('Made .secrets/root,') });
  const secrets = join(folder, '.secrets');
  const read = () => readdirSync(secrets).map((name) => [name, readFileSync(join(secrets, name), 'utf8')] as const);
  const made = read();
  expect(made.map(([name]) => name).toSorted()).toEqual(
    Object.keys(readCompose('docker-compose.yml').secrets).toSorted(),
  );
  for (const [, password] of made) expect(password).toMatch(/^[\w-]{32}$/);
  expect(new Set(made.map(([, password]) => password)).size).toBe(made.length);
  expect(statSync(secrets).mode & 0o777).toBe(0o700);
  expect(statSync(join(secrets, 'cdc')).mode & 0o777).toBe(0o444);

  rmSync(join(secrets, 'cdc'), { force: true });
  expect(containers('secrets').stdout).toBe('Made .secrets/cdc.\n');
  expect(read().filter(([name]) => name !== 'cdc')).toEqual(made.filter(([name]) => name !== 'cdc'));
  expect(containers('secrets').stdout).toBe('All secrets are there: nothing was changed.\n');
});

it('`doctor` without docker: one finding, exit code 1, and the same as JSON', () => {
  expect(containers('doctor')).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('mend it: install Docker Desktop'),
  });
  const { status, stdout } = containers('doctor', '--json');
  expect([status, JSON.parse(stdout)]).toEqual([1, [expect.objectContaining({ name: 'docker', status: 'missing' })]]);
});

it.each([[[]], [['doctor', '--what']], [['doctor', '-f']], [['secrets', 'x']], [['up']]])(
  '%j is NOT understood: usage, exit code 2, and nothing is made',
  (args) => {
    expect(containers(...args)).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('npm run containers'),
    });
    expect(readdirSync(folder)).not.toContain('.secrets');
  },
);

it('--help is exit code 0', () => {
  expect(containers('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('doctor') });
});
