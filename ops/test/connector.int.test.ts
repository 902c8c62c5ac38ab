import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connectApi, type ConnectorDefinition } from '@board/relay';
import {
  openTemporaryOutbox,
  type TemporaryOutbox,
} from '../../packages/relay/test/support/open-temporary-outbox.ts';
import { compileCache, uniqueName, waitUntil } from '@board/test';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import * as z from 'zod';

const stack = inject('stack');
const { connectUrl, brokers } = stack;
const cli = fileURLToPath(new URL('../commands/connector.ts', import.meta.url));
const addresses = { CONNECT_URL: connectUrl, KAFKA_BROKERS: brokers.join(',') };

/** Runs the command with addresses: without them it would use a local stack. */
function connector(args: readonly string[], env: Record<string, string> = addresses) {
  return new Promise<{ exitCode: number; out: string; err: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      [cli, ...args],
      { env: { ...compileCache, ...env } },
      (_error, out, err) => resolve({ exitCode: child.exitCode ?? -1, out, err }),
    );
  });
}

it('register leaves a registered connector unchanged and exits with 0 once it ships', async () => {
  const { exitCode, out, err } = await connector(['register']);
  expect(err).toBe('');
  expect(out).toMatch(/configuration unchanged[\s\S]*a record has arrived/);
  expect(exitCode).toBe(0);
});

it('status --json prints JSON and exits with 0 while the connector runs', async () => {
  const { exitCode, out } = await connector(['status', '--json']);
  const report = z.object({ name: z.string(), isRunning: z.boolean() }).parse(JSON.parse(out));
  expect(report).toEqual({ name: 'board-outbox', isRunning: true });
  expect(exitCode).toBe(0);
});

it('--help names the commands and the environment', async () => {
  const { exitCode, out } = await connector(['--help'], {});
  expect(out).toMatch(/register[\s\S]*status[\s\S]*KAFKA_BROKERS, CONNECT_URL/);
  expect(exitCode).toBe(0);
});

it('a Connect that does not answer is waited for, then one sentence and exit code 2', async () => {
  const { exitCode, err } = await connector(['status', '--wait', '1'], {
    ...addresses,
    CONNECT_URL: 'http://127.0.0.1:19',
  });
  expect(err).toMatch(/^waited 1 s: Connect does not answer at http:\/\/127\.0\.0\.1:19.*\n$/);
  expect(exitCode).toBe(2);
});

it('an unknown command exits with 2', async () => {
  expect((await connector(['bogus'])).exitCode).toBe(2);
});

describe('a second outbox of a user', () => {
  const folder = mkdtempSync(join(tmpdir(), 'connector-'));
  const api = connectApi(connectUrl);
  let outbox: TemporaryOutbox;
  let file: string;
  let name: string;
  const write = (definition: ConnectorDefinition): void =>
    writeFileSync(file, JSON.stringify(definition));
  beforeAll(async () => {
    outbox = await openTemporaryOutbox(stack);
    ({ name } = outbox.definition);
    file = join(folder, 'own.json');
    write(outbox.definition);
  });
  afterAll(async () => {
    await outbox.close();
    rmSync(folder, { recursive: true });
  });

  it('is validated and compared before it is registered, and nothing is changed by that', async () => {
    const dry = await connector(['register', file, '--dry-run']);
    expect(dry).toEqual({
      exitCode: 0,
      out: `${name}: valid\n${name}: not registered\n`,
      err: '',
    });
    expect(await api.listNames()).not.toContain(name);
  });

  it('is registered from its file and ships', async () => {
    const { exitCode, out } = await connector(['register', file, '--json']);
    expect(JSON.parse(out)).toEqual({ name, outcome: 'ships' });
    expect(exitCode).toBe(0);
    const listed = (await connector(['list', '--json'])).out.trim().split('\n');
    expect(listed.map((line) => JSON.parse(line) as unknown)).toContainEqual({
      name,
      isDefined: false,
      isRegistered: true,
      differs: [],
      state: 'RUNNING, task 0 RUNNING',
    });
  });

  it('a change made by hand in Connect is shown without secrets, and register repairs it', async () => {
    expect((await connector(['diff', file])).exitCode).toBe(0);
    const changed = { 'poll.interval.ms': '500', 'own.password': 'hand-made-password' };
    await api.putConfig({ ...outbox.definition, ...changed });
    const diff = await connector(['diff', file]);
    expect(diff.exitCode).toBe(1);
    expect(diff.out).toContain(`${name}: ~ poll.interval.ms: 500 -> 10\n`);
    expect(diff.out).toContain(`${name}: - own.password = (hidden)\n`);
    expect(diff.out).not.toContain('hand-made-password');
    const repaired = await connector(['register', file]);
    expect(repaired.out).not.toContain('hand-made-password');
    expect(repaired.exitCode).toBe(0);
    expect(await api.getConfig(name)).toEqual(outbox.definition);
  });

  it('watch prints each state that it passes through, and ends with 0 at Ctrl-C', async () => {
    const watching = spawn(process.execPath, [cli, 'watch', name, '--json'], {
      env: { ...compileCache, ...addresses },
    });
    const states: string[] = [];
    createInterface({ input: watching.stdout }).on('line', (line) =>
      states.push((JSON.parse(line) as { state: string }).state),
    );
    await waitUntil('it is RUNNING', async () => states.includes('RUNNING, task 0 RUNNING'));
    const paused = await connector(['pause', name, '--json']);
    expect(JSON.parse(paused.out)).toEqual({ name, verb: 'pause', state: 'PAUSED, task 0 PAUSED' });
    await waitUntil('it is PAUSED', async () => states.at(-1) === 'PAUSED, task 0 PAUSED');
    const half = await connector(['resume', name, 'no-such-connector']);
    expect(half.exitCode).toBe(2);
    expect(states.at(-1)).toBe('PAUSED, task 0 PAUSED');
    expect((await connector(['status', name])).exitCode).toBe(1);
    const refused = await connector(['restart', name]);
    expect(refused.err).toBe(`${name} is PAUSED: "resume" starts it, not "restart"\n`);
    expect((await connector(['resume', name])).out).toBe(`${name}: RUNNING, task 0 RUNNING\n`);
    await waitUntil('it runs again', async () => states.at(-1) === 'RUNNING, task 0 RUNNING');
    const ended = new Promise((resolve) => watching.once('close', resolve));
    watching.kill('SIGINT');
    expect(await ended).toBe(0);
  });

  it('is stopped, its offsets are reset and it is deleted only when that is confirmed', async () => {
    expect((await connector(['restart', name])).exitCode).toBe(0);
    const early = await connector(['offsets', name, '--reset', '--yes']);
    expect(early.err).toMatch(/is RUNNING: stop it first/);
    expect(early.exitCode).toBe(1);
    expect((await connector(['stop', name])).err).toMatch(/ships nothing until "resume".*--yes/);
    expect((await connector(['stop', name, '--yes'])).out).toBe(`${name}: STOPPED\n`);
    expect((await connector(['pause', name])).err).toMatch(/is STOPPED already/);
    expect((await connector(['offsets', name])).out).toMatch(/"gtids":/);
    expect((await connector(['offsets', name, '--reset'])).exitCode).toBe(2);
    expect((await connector(['offsets', name, '--reset', '--yes'])).exitCode).toBe(0);
    expect((await connector(['offsets', name])).out).toBe('no offsets\n');
    expect((await connector(['delete', name])).exitCode).toBe(2);
    expect((await connector(['delete', name, '--yes'])).out).toBe(`${name}: not registered\n`);
    expect(await api.listNames()).not.toContain(name);
  });
});

describe('bad input is one sentence with exit code 2, and nothing is changed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'connector-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (text: string): string => {
    const file = join(folder, `${uniqueName()}.json`);
    writeFileSync(file, text);
    return file;
  };

  it.each([
    ['a name that is not defined', ['register', 'board-outbx'], /did you mean board-outbox\?/],
    [
      'a name that is not registered',
      ['stop', 'board-outbx', '--yes'],
      /did you mean board-outbox\?/,
    ],
    ['a file that is not there', ['diff', 'no/such.json'], /cannot be read: ENOENT/],
    [
      'a file that is no JSON',
      ['validate', write('{"name": "x",}')],
      /is no JSON: .*line 1 column/,
    ],
    ['a file of another kind', ['validate', write('{"a":"b"}')], /is no connector definition/],
  ])('%s', async (_what, args, message) => {
    const { exitCode, out, err } = await connector(args);
    expect(err).toMatch(message);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
  });

  it('a class that is not installed is named with those that are, exit code 1', async () => {
    const file = write('{"name":"x","connector.class":"org.example.Missing"}');
    const validated = await connector(['validate', file]);
    expect(validated.out).toMatch(/org\.example\.Missing is not installed; installed: .*MySqlConn/);
    expect(validated.exitCode).toBe(1);
    const registered = await connector(['register', file]);
    expect(registered.err).toMatch(
      /refuses x, nothing was changed:\n {2}connector\.class: org\.example\.Missing is not/,
    );
    expect(registered.exitCode).toBe(1);
    expect(await connectApi(connectUrl).listNames()).not.toContain('x');
  });

  it('each key that Connect refuses is named with its reason, exit code 1', async () => {
    const definition = await connectApi(connectUrl).getConfig('board-outbox');
    const file = write(JSON.stringify({ ...definition, name: 'x', 'tasks.max': 'many' }));
    const { exitCode, out } = await connector(['validate', file]);
    expect(out).toMatch(/^x: \d+ problems?\n {2}tasks\.max: .*many/m);
    expect(exitCode).toBe(1);
  });
});
