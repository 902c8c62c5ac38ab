import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkout } from '../../stack/instance/instance.ts';
import { portsAt } from '../../stack/instance/ports.ts';
import { waitUntil } from '../src/wait-until.ts';

// One sequence: a copy of this checkout below a folder whose name has all that may be in one
// (Node itself loads no module from a folder with "\" in its name).
const parent = mkdtempSync(join(tmpdir(), 'odd-'));
const odd = join(parent, `한글 폴더 #1 100%41 "x" it's ;$HOME:é`);
const refused = join(parent, 'a,b');
const fiveMinutes = 300_000;

/** What git knows of, and the installed packages. */
function copyCheckout(target: string): void {
  const files = execFileSync(
    'git',
    ['-c', 'safe.directory=*', 'ls-files', '--cached', '--others', '--exclude-standard'],
    {
      cwd: checkout,
      encoding: 'utf8',
    },
  );
  for (const file of files
    .trim()
    .split('\n')
    .filter((name) => existsSync(join(checkout, name)))) {
    mkdirSync(join(target, dirname(file)), { recursive: true });
    cpSync(join(checkout, file), join(target, file));
  }
  // Links between workspaces are relative, so those of the copy lead to the copy.
  execFileSync('cp', ['-a', join(checkout, 'node_modules'), join(target, 'node_modules')]);
}

async function run(
  folder: string,
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const child = spawn('node', [join(folder, file), ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Without a locale, as in a container or a cron job: names of files must survive that.
    env: { ...process.env, LANG: 'C', LC_ALL: 'C', STACK_AOT: '0', ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

const launch = (...args: string[]) => run(odd, 'stack/launch.mjs', args);

beforeAll(() => copyCheckout(refused), fiveMinutes);
afterAll(async () => {
  if (existsSync(odd)) await launch('reset', '--yes');
  rmSync(parent, { recursive: true });
}, fiveMinutes);

it('a folder with a comma is refused in one sentence, and nothing is written', async () => {
  expect(await run(refused, 'stack/launch.mjs', ['up'])).toEqual({
    code: 1,
    output: `folders: "${refused}/.stack/main" cannot be used: Kafka takes "," for the end of a data folder; move the checkout to another folder.\n`,
  });
  expect(existsSync(join(refused, '.stack'))).toBe(false);
  renameSync(refused, odd);
});

it(
  'below a folder with characters of other alphabets, spaces and marks, everything starts and a board arrives',
  { timeout: fiveMinutes },
  async () => {
    const up = await launch('up', '--port-offset', 'auto');
    expect(up.output).toContain('It runs in the background');
    const status = await launch('status', '--json');
    expect(status.code).toBe(0);
    const { processes } = JSON.parse(status.output) as {
      processes: { name: string; address: string }[];
    };
    const addressOf = (name: string): string =>
      processes.find((one) => one.name === name)?.address ?? '';
    const response = await fetch(`${addressOf('order-service')}/boards`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ title: '첫 번째', content: 'x', author: '민지' }),
    });
    expect(response.status).toBe(201);
    const { id } = (await response.json()) as { id: string };
    const entry = `${addressOf('catalog-service-1')}/catalog/${id}`;
    await waitUntil('the board is in the catalog', async () => (await fetch(entry)).ok, {
      timeoutMs: 30_000,
    });
    const audit = await launch('exec', '--', 'node', join(odd, 'ops/commands/audit.ts'));
    expect(audit).toMatchObject({ code: 0 });
  },
);

it('the data of every server is in the instance, and nowhere else', () => {
  const data = join(odd, '.stack/main/data');
  expect(readdirSync(data).toSorted()).toEqual(['kafka-1', 'kafka-2', 'kafka-3', 'mysql']);
  expect(existsSync(join(data, 'mysql/order_service/outbox.ibd'))).toBe(true);
  for (const broker of ['kafka-1', 'kafka-2', 'kafka-3']) {
    expect(
      readdirSync(join(data, broker)).filter((name) => name.startsWith('board-')).length,
    ).toBeGreaterThan(0);
  }
  // A garbled name would be a second folder beside this one.
  expect(readdirSync(parent)).toHaveLength(1);
  expect(readFileSync(join(odd, '.stack/main/config/my.cnf'), 'utf8')).toContain('한글 폴더 #1');
});

it('`node provision/main.ts` finds its migrations there', { timeout: fiveMinutes }, async () => {
  const read = (file: string) =>
    JSON.parse(readFileSync(join(odd, '.stack/main', file), 'utf8')) as unknown;
  const secrets = Object.entries(read('secrets.json') as Record<string, string>);
  const ports = portsAt((read('ports.json') as { offset: number }).offset);
  const setup = await run(odd, 'provision/main.ts', ['migrations'], {
    ...Object.fromEntries(
      secrets.map(([user, value]) => [`${user.toUpperCase()}_PASSWORD`, value]),
    ),
    MYSQL_ROOT_PASSWORD: Object.fromEntries(secrets)['root'] ?? '',
    MYSQL_PORT: String(ports.mysql),
    KAFKA_BROKERS: ports.brokers.map((port) => `127.0.0.1:${port}`).join(','),
    REGISTRY_URL: `http://127.0.0.1:${ports.registry}/apis/ccompat/v7`,
    CONNECT_URL: `http://127.0.0.1:${ports.connect}`,
  });
  expect(setup).toMatchObject({ code: 0, output: expect.stringContaining('migrations done') });
});

it('`reset` leaves nothing behind', { timeout: fiveMinutes }, async () => {
  expect(await launch('reset', '--yes')).toMatchObject({ code: 0 });
  const left = readdirSync(join(odd, '.stack/main'), { recursive: true });
  expect(left.toSorted()).toEqual(['config', 'data', 'log', 'ports.json', 'run']);
  expect(readdirSync(parent)).toHaveLength(1);
});
