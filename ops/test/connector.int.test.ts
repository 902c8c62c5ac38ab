import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compileCache } from '@board/test';
import { expect, inject, it } from 'vitest';
import * as z from 'zod';

const { connectUrl, brokers } = inject('stack');
const addresses = { CONNECT_URL: connectUrl, KAFKA_BROKERS: brokers.join(',') };

/** Runs the command as a user does; without addresses it would look for a local stack. */
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

it('register leaves a registered connector as it is, proves that it ships and exits with 0', async () => {
  const { exitCode, out, err } = await connector(['register']);
  expect(err).toBe('');
  expect(out).toMatch(/configuration unchanged[\s\S]*a record has arrived/);
  expect(exitCode).toBe(0);
});

it('status --json is for programs, and exits with 0 while the connector runs', async () => {
  const { exitCode, out } = await connector(['status', '--json']);
  const report = z.object({ name: z.string(), isRunning: z.boolean() }).parse(JSON.parse(out));
  expect(report).toEqual({ name: 'board-outbox', isRunning: true });
  expect(exitCode).toBe(0);
});

it('--help names commands and environment', async () => {
  const { exitCode, out } = await connector(['--help'], {});
  expect(out).toMatch(/register[\s\S]*status[\s\S]*KAFKA_BROKERS, CONNECT_URL/);
  expect(exitCode).toBe(0);
});

it('exits with 1 and one sentence when Connect does not answer', async () => {
  const { exitCode, err } = await connector(['status'], {
    ...addresses,
    CONNECT_URL: 'http://127.0.0.1:19',
  });
  expect(err).toMatch(/^Connect does not answer at http:\/\/127\.0\.0\.1:19.*\n$/);
  expect(exitCode).toBe(1);
});

it('exits with 2 on an unknown command', async () => {
  expect((await connector(['bogus'])).exitCode).toBe(2);
});
