import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkout, readCompose } from './read-compose.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'containers-'));
  cpSync(join(checkout, 'docker-compose.yml'), join(folder, 'docker-compose.yml'));
  for (const file of ['containers.mjs', 'check-containers.mjs', 'ports.mjs']) {
    cpSync(join(checkout, 'infra/containers', file), join(folder, 'infra/containers', file));
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

const containers = (...args: string[]) =>
  spawnSync(process.execPath, [join(folder, 'infra/containers/containers.mjs'), ...args], {
    encoding: 'utf8',
    // No docker is on this PATH.
    env: { PATH: folder },
  });

it('`secrets` makes each secret of docker-compose.yml once, behind a folder that only its owner enters', () => {
  expect(containers('secrets')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('Made .secrets/root,'),
  });
  const secrets = join(folder, '.secrets');
  const read = () =>
    readdirSync(secrets).map((name) => [name, readFileSync(join(secrets, name), 'utf8')] as const);
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
  expect(read().filter(([name]) => name !== 'cdc')).toEqual(
    made.filter(([name]) => name !== 'cdc'),
  );
  expect(containers('secrets').stdout).toBe('All secrets are there: nothing was changed.\n');
});

it('`doctor` without docker: one finding, exit code 1, and the same as JSON', () => {
  expect(containers('doctor')).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('to fix: install Docker Desktop'),
  });
  const { status, stdout } = containers('doctor', '--json');
  expect([status, JSON.parse(stdout)]).toEqual([
    1,
    [expect.objectContaining({ name: 'docker', status: 'missing' })],
  ]);
});

interface Finding {
  readonly name: string;
  readonly status: string;
  readonly detail: string;
}

/** A `docker` with an engine and without the compose plugin, which answers as the real one does. */
function putDockerWithoutCompose(): void {
  const info = JSON.stringify({ OSType: 'linux', Architecture: 'x86_64', MemTotal: 8 * 1024 ** 3 });
  const script = `#!/bin/sh
case "$1" in
  --version) echo 'Docker version 29.0.0';;
  info) echo '${info}';;
  compose) echo "unknown flag: --format" >&2; exit 125;;
esac
`;
  writeFileSync(join(folder, 'docker'), script, { mode: 0o755 });
}

function findings(): Finding[] {
  return JSON.parse(containers('doctor', '--json').stdout) as Finding[];
}

it('`doctor` without compose checks secrets and ports, and names the native stack that has taken one', async () => {
  putDockerWithoutCompose();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  writeFileSync(join(folder, '.env'), `ORDER_SERVICE_PORT=${port} # mine\n`);
  try {
    const before = findings();
    expect(before.find(({ name }) => name === 'configuration')).toMatchObject({
      status: 'skipped',
    });
    expect(before.find(({ name }) => name === 'secrets')).toMatchObject({ status: 'missing' });
    const ports = () =>
      findings().flatMap(({ name, detail }) => (name === 'ports' ? [detail] : []));
    expect(ports().join()).toContain(`in use by another program: `);
    expect(ports().join()).toContain(`${port} (for order-service)`);

    mkdirSync(join(folder, '.stack/older/run'), { recursive: true });
    const state = (pid: number) =>
      JSON.stringify({
        phase: 'ready',
        supervisor: { pid },
        processes: [{ address: `http://127.0.0.1:${port}` }],
      });
    const file = join(folder, '.stack/older/run/state.json');
    writeFileSync(file, state(process.pid));
    expect(ports()).toContain(
      `in use by the native stack "older", which runs from this checkout: ${port} (for order-service)`,
    );
    // That stack has died: another process listens there.
    writeFileSync(file, state(2 ** 22));
    expect(ports().join()).not.toContain('native stack');
  } finally {
    server.close();
  }
});

it('a wrong port is reported with the variable that holds it', () => {
  putDockerWithoutCompose();
  writeFileSync(join(folder, '.env'), 'ORDER_SERVICE_PORT=abc\n');
  expect(findings().find(({ name }) => name === 'configuration')).toMatchObject({
    status: 'missing',
    detail: 'ORDER_SERVICE_PORT is "abc", must be a port from 0 to 65535',
  });
});

it.each([
  [[], 'npm run containers'],
  [['doctor', '--what'], 'doctor does not know "--what".'],
  [['doctor', '-f'], '-f needs a value.'],
  [['secrets', 'x'], 'secrets takes nothing, and got "x".'],
  [['bogus'], 'There is no command "bogus".'],
])('%j is refused: the wrong word, usage, exit code 2, and nothing is made', (args, sentence) => {
  const { status, stdout, stderr } = containers(...args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/npm run containers/);
  expect(stderr.startsWith(sentence)).toBe(true);
  expect(readdirSync(folder)).not.toContain('.secrets');
});

it('--help is exit code 0', () => {
  expect(containers('--help')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('doctor'),
  });
});
