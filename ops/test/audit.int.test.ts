import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, inject, it } from 'vitest';
import { consumers } from '@board/contracts';
import type { AuditReport } from '@board/inbox';
import { compileCache } from '@board/test';
import { auditConsumers } from '../commands/audit/audit-consumers.ts';
import { exitCodes } from '../commands/audit/format-report.ts';

const stack = inject('stack');
const audit = resolve(import.meta.dirname, '../commands/audit.ts');
const addresses = {
  DATABASE_HOST: stack.mysql.host,
  DATABASE_PORT: String(stack.mysql.port),
  DATABASE_PASSWORD: stack.passwords.audit,
  KAFKA_BROKERS: stack.brokers.join(','),
  CONNECT_URL: stack.connectUrl,
};

function run(args: string[], env: Record<string, string>) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const options = { env: { PATH: process.env['PATH'], ...compileCache, ...env } };
    execFile(process.execPath, [audit, ...args], options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

it('the audit prints JSON with --json, and its exit code is that of the outcome', async () => {
  const { code, stdout } = await run(['--json'], addresses);
  const reports = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditReport & { readonly consumer: string });
  expect(reports.map(({ consumer }) => consumer)).toEqual(consumers.map(({ name }) => name));
  expect(reports.map(({ outcome }) => outcome)).toEqual(consumers.map(() => 'clean'));
  expect(code).toBe(exitCodes.clean);
});

it.each<[string, Record<string, string>, string]>([
  ['Connect', { CONNECT_URL: 'http://127.0.0.1:1' }, 'Connect does not answer'],
  ['the database', { DATABASE_PORT: '1' }, 'ECONNREFUSED'],
  ['an address', { KAFKA_BROKERS: 'nonsense' }, 'KAFKA_BROKERS: got "nonsense"'],
])('the audit exits with 2 when %s cannot be used', async (_name, env, message) => {
  const { code, stdout, stderr } = await run(['--timeout', '1'], { ...addresses, ...env });
  expect(stdout + stderr).toContain(message);
  expect(code).toBe(2);
});

it('the audit exits with 2, not with the code for red, when an option is wrong', async () => {
  expect((await run(['--nonsense'], addresses)).code).toBe(2);
});

it('the audit reports a missing database beside other consumers and closes nothing', async () => {
  const [first, second] = consumers;
  if (!first || !second) throw new Error('there are two consumers');
  const { host, port } = stack.mysql;
  const reports = await auditConsumers({
    database: { host, port, user: 'audit', password: stack.passwords.audit },
    kafka: stack,
    connectUrl: stack.connectUrl,
    timeoutMs: 60_000,
    consumers: [first, { ...second, database: 'not_there' }],
  });
  expect(reports).toMatchObject([
    { consumer: first.name, outcome: 'clean' },
    {
      consumer: second.name,
      outcome: 'incomplete',
      cannotTell: expect.stringMatching(/missing_range|not_there/),
    },
  ]);
});
