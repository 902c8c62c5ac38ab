import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';

const guard = new URL('./run-service.ts', import.meta.url).href;
const scope = new URL('./run-service.ts', import.meta.url).href;

async function run(
  then: string,
  meanwhile: (child: ChildProcess) => Promise<void> = () => Promise.resolve(),
): Promise<{ code: number | null; signal: string | null; stderr: string }> {
  const code = `
    const { guardEventLoop } = await import(${JSON.stringify(guard)});
    const { createScope } = await import(${JSON.stringify(scope)});
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
    'promises that settle at once',
    'async function spin() { for (;;) await null; } setTimeout(spin, 50);',
  ],
] as const)(
  'kills a process whose event loop is blocked by %s, and says where it is',
  async ([, then]) => {
    const { signal, stderr } = await run(then);
    expect(signal).toBe('SIGKILL');
    const { event, stack } = JSON.parse(stderr) as { event: string; stack: readonly string[] };
    expect(event).toBe('process.blocked');
    expect(stack[0]).toMatch(/^spin /);
  },
);

it('leaves a busy process alone that still answers', async () => {
  const busy =
    'for (let n = 0; n < 12; n += 1) { const end = Date.now() + 100; while (Date.now() < end); await new Promise(setImmediate); await new Promise((r) => setTimeout(r, 5)); }';
  expect(await run(`${busy} await scope.close();`)).toMatchObject({ code: 0, signal: null });
});

it('leaves a process alone that was stopped for longer than its limit and goes on', async () => {
  // The guard's own looks, twice as many as it takes to kill, come after the stop.
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
