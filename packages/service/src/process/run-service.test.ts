import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, test } from 'vitest';
import { createScope } from './run-service.ts';

const fixture = fileURLToPath(new URL('../../test/support/example-service.ts', import.meta.url));

function start(env: Record<string, string>) {
  const child = spawn(process.execPath, [fixture], { env: { MODE: 'serve', ...env } });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: { event?: string; signal?: string }[] = [];
  const output = createInterface({ input: child.stdout });
  output.on('line', (line) => lines.push(JSON.parse(line)));
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  const until = async (event: string): Promise<void> => {
    while (!lines.some((line) => line.event === event)) await once(output, 'line');
  };
  const ended = once(child, 'close').then(([code]) => ({
    code,
    events: lines.map((line) => line.event),
    errors,
  }));
  return { child, until, ended };
}

test('SIGTERM closes in order, and the process exits 0', async () => {
  const service = start({});
  await service.until('example.started');
  service.child.kill('SIGTERM');
  const { code, events } = await service.ended;
  expect(events).toEqual([
    'example.started',
    'process.closing',
    'second.closed',
    'first.closed',
    'process.closed',
  ]);
  expect(code).toBe(0);
});

test('a second signal ends the process at once', async () => {
  const service = start({ MODE: 'stuck-close' });
  await service.until('example.started');
  service.child.kill('SIGTERM');
  await service.until('process.closing');
  service.child.kill('SIGTERM');
  expect((await service.ended).code).toBe(130);
});

test.each([
  ['start throws', 'throw', ['process.failed', 'second.closed', 'first.closed', 'process.closed']],
  [
    'fail() is called',
    'fail',
    ['example.started', 'process.failed', 'second.closed', 'first.closed', 'process.closed'],
  ],
  ['a promise is rejected unseen', 'reject', ['example.started', 'process.crashed']],
])('the process exits 1 when %s', async (_, MODE, wanted) => {
  const { code, events } = await start({ MODE }).ended;
  expect(events).toEqual(wanted);
  expect(code).toBe(1);
});

test('a log line is written before the next statement runs, even when that is a kill -9', async () => {
  expect((await start({ MODE: 'killed' }).ended).events).toEqual(['example.started', 'last.words']);
});

test('a wrong configuration is reported on stderr without a stack, and the process exits 1', async () => {
  const { code, events, errors } = await start({ LOG_LEVEL: 'loud' }).ended;
  expect(errors).toMatch(
    /^The configuration cannot be used:\n {2}LOG_LEVEL: got "loud", must be one of .*\n$/,
  );
  expect([code, events]).toEqual([1, []]);
});

test('a variable set under its former name is used, with a notice on stderr', async () => {
  const { code, errors } = await start({ MODE: 'task', DRAIN_MS: '1' }).ended;
  expect(errors).toBe(
    'DRAIN_MS is called SHUTDOWN_DELAY_MS now; the old name goes with the next release.\n',
  );
  expect(code).toBe(0);
  const both = await start({ MODE: 'task', DRAIN_MS: '1', SHUTDOWN_DELAY_MS: '0' }).ended;
  expect(both.errors).toBe('DRAIN_MS is ignored, since SHUTDOWN_DELAY_MS is set.\n');
});

test('a task closes what it opened and exits 0 by itself', async () => {
  const { code, events } = await start({ MODE: 'task' }).ended;
  expect(events).toEqual(['example.started', 'second.closed', 'first.closed', 'process.closed']);
  expect(code).toBe(0);
});

test('a scope runs all its closers once, the last first, and throws the first error', async () => {
  const scope = createScope();
  const closed: string[] = [];
  scope.defer('first', () => void closed.push('first'));
  scope.defer('second', () => {
    closed.push('second');
    throw new Error('second broke');
  });
  scope.defer('third', () => Promise.reject(new Error('third broke')));

  const wanted = new Error('third did not close', { cause: new Error('third broke') });
  await expect(scope.close()).rejects.toEqual(wanted);
  await expect(scope.close()).rejects.toEqual(wanted);
  expect(closed).toEqual(['second', 'first']);
});

test('the signal of a scope aborts before its first closer runs', async () => {
  const scope = createScope();
  let aborted = false;
  scope.defer('probe', () => (aborted = scope.signal.aborted));
  await scope.close();
  expect(aborted).toBe(true);
});

const runServiceModule = new URL('./run-service.ts', import.meta.url).href;

async function run(
  then: string,
  meanwhile: (child: ChildProcess) => Promise<void> = () => Promise.resolve(),
): Promise<{ code: number | null; signal: string | null; stderr: string }> {
  const code = `
    const { createScope, guardEventLoop } = await import(${JSON.stringify(runServiceModule)});
    const scope = createScope();
    guardEventLoop(scope, 400);
    ${then}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [[exit, signal]] = (await Promise.all([once(child, 'exit'), meanwhile(child)])) as [
    [number | null, string | null],
    unknown,
  ];
  return { code: exit, signal, stderr };
}

it.for([
  ['a call that does not return', 'function spin() { for (;;); } setTimeout(spin, 50);'],
  [
    'promises that resolve at once',
    'async function spin() { for (;;) await null; } setTimeout(spin, 50);',
  ],
] as const)(
  'guardEventLoop kills a process whose event loop is blocked by %s, and prints its stack',
  async ([, then]) => {
    const { signal, stderr } = await run(then);
    expect(signal).toBe('SIGKILL');
    const { event, stack } = JSON.parse(stderr) as { event: string; stack: readonly string[] };
    expect(event).toBe('process.blocked');
    expect(stack[0]).toMatch(/^spin /);
  },
);

it('guardEventLoop leaves a busy process alone that still answers', async () => {
  const busy =
    'for (let n = 0; n < 12; n += 1) { const end = Date.now() + 100; while (Date.now() < end); await new Promise(setImmediate); await new Promise((r) => setTimeout(r, 5)); }';
  expect(await run(`${busy} await scope.close();`)).toMatchObject({ code: 0, signal: null });
});

it('guardEventLoop leaves a process alone that was stopped for longer than its limit', async () => {
  // The watcher checks after the stop twice as often as a kill needs.
  const living =
    'console.error("ready"); await new Promise((r) => setTimeout(r, 2_500)); await scope.close();';
  const outcome = await run(living, async (child) => {
    if (child.stderr) await once(child.stderr, 'data');
    child.kill('SIGSTOP');
    await wait(1_500);
    child.kill('SIGCONT');
  });
  expect(outcome).toMatchObject({ code: 0, signal: null, stderr: 'ready\n' });
});
