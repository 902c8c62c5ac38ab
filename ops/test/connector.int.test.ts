import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compileCache } from '@board/test';
import { expect, inject, it } from 'vitest';
import * as z from 'zod';

const { connectUrl, brokers } = inject('stack');
const addresses = { CONNECT_URL: connectUrl, KAFKA_BROKERS: brokers.join(',') };

/** Runs the command with addresses: without them it would use a local stack. */
function connector(args: readonly string[], env: Record<string, string> = addresses) {
  const cli = fileURLToPath(new URL('../commands/connector.ts', import.meta.url));
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

it('status exits with 1 and one sentence when Connect does not answer', async () => {
  const { exitCode, err } = await connector(['status'], {
    ...addresses,
    CONNECT_URL: 'http://127.0.0.1:19',
  });
  expect(err).toMatch(/^Connect does not answer at http:\/\/127\.0\.0\.1:19.*\n$/);
  expect(exitCode).toBe(1);
});

it('an unknown command exits with 2', async () => {
  expect((await connector(['bogus'])).exitCode).toBe(2);
});
