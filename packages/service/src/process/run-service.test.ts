import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

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

test('SIGTERM closes in order and exits 0', async () => {
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

test('a SECOND signal ends at once', async () => {
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
])('exits 1 when %s', async (_, MODE, wanted) => {
  const { code, events } = await start({ MODE }).ended;
  expect(events).toEqual(wanted);
  expect(code).toBe(1);
});

test('what was logged is OUT before the next statement, even when that is a kill -9', async () => {
  expect((await start({ MODE: 'killed' }).ended).events).toEqual(['example.started', 'last.words']);
});

test('a wrong CONFIGURATION is told on stderr, without a stack, and exits 1', async () => {
  const { code, events, errors } = await start({ LOG_LEVEL: 'loud' }).ended;
  expect(errors).toMatch(
    /^The configuration cannot be used:\n {2}LOG_LEVEL: got "loud", wants one of .*\n$/,
  );
  expect([code, events]).toEqual([1, []]);
});

test('a variable set under its former name is used, with a notice on stderr', async () => {
  const { code, errors } = await start({ MODE: 'task', DRAIN_MS: '1' }).ended;
  expect(errors).toBe(
    'DRAIN_MS is called SHUTDOWN_DELAY_MS now; the old name goes with the next release.\n',
  );
  expect(code).toBe(0);
});

test('a TASK closes and exits 0 by itself', async () => {
  const { code, events } = await start({ MODE: 'task' }).ended;
  expect(events).toEqual(['example.started', 'second.closed', 'first.closed', 'process.closed']);
  expect(code).toBe(0);
});
