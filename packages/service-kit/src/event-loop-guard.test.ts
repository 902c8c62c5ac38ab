import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

const guard = new URL('./event-loop-guard.ts', import.meta.url).href;
const scope = new URL('./scope.ts', import.meta.url).href;

async function run(then: string): Promise<{ code: number | null; signal: string | null; stderr: string }> {
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
  const [exit, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return { code: exit, signal, stderr };
}

it('kills a process whose event loop is BLOCKED, and says so', async () => {
  const { signal, stderr } = await run('setTimeout(() => { for (;;); }, 50);');
  expect(signal).toBe('SIGKILL');
  expect(stderr).toContain('process.blocked');
});

it('leaves a busy process alone that still answers', async () => {
  const busy =
    'for (let n = 0; n < 12; n += 1) { const end = Date.now() + 100; while (Date.now() < end); await new Promise(setImmediate); await new Promise((r) => setTimeout(r, 5)); }';
  expect(await run(`${busy} await scope.close();`)).toMatchObject({ code: 0, signal: null });
});
