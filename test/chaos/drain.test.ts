import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { ChaosStack } from './chaos-stack.ts';
import { findIllness } from './drain.ts';
import { processNames } from './schedule.ts';

interface Seen {
  readonly missing?: string;
  readonly frozen?: string;
  readonly task?: string;
  readonly keeper?: Record<string, { reason: string }>;
  readonly catalog?: Record<string, { reason: string }>;
}

/** A stack of which only what it says of itself is there. */
async function standIn({
  missing,
  frozen,
  task = 'RUNNING',
  keeper = {},
  catalog = {},
}: Seen): Promise<ChaosStack> {
  const answers: Record<string, unknown> = {
    '/connectors/board-outbox/status': {
      connector: { state: 'RUNNING' },
      tasks: [{ state: task }],
    },
    '/keeper/alarms': { alarms: keeper },
    '/catalog/alarms': { alarms: catalog },
    '/orders/alarms': { alarms: {} },
  };
  const server = createServer(({ url }, response) =>
    response.end(JSON.stringify(answers[url ?? ''])),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const processes = processNames
    .filter((name) => name !== missing)
    .map((name) => ({ name, phase: name === frozen ? 'gave-up' : 'running' }));
  return {
    processes: () => processes,
    connectUrl: url,
    orderServiceUrl: `${url}/orders`,
    keeperUrl: `${url}/keeper`,
    catalogUrls: [`${url}/catalog`],
  } as unknown as ChaosStack;
}

const illnessOf = async (seen: Seen, expectsDeadLetters = false) =>
  findIllness(await standIn(seen), expectsDeadLetters);

test('a stack of which everything runs without an alarm is healthy', async () => {
  expect(await illnessOf({})).toBeUndefined();
});

test('a process that is missing or has given up, a failed task, an alarm: each is told', async () => {
  expect(await illnessOf({ missing: 'keeper' })).toBe('keeper missing');
  expect(await illnessOf({ frozen: 'mysql' })).toBe('mysql gave-up');
  expect(await illnessOf({ task: 'FAILED' })).toBe('connector: RUNNING, task FAILED');
  expect(
    await illnessOf({ keeper: { connector: { reason: 'the connector has failed again' } } }),
  ).toContain('/keeper/alarms: connector: the connector has failed again');
});

test('dead letters are no illness only where they are expected', async () => {
  const catalog = { 'dead letters': { reason: '3 are open' } };
  expect(await illnessOf({ catalog }, true)).toBeUndefined();
  expect(await illnessOf({ catalog }, false)).toContain('dead letters: 3 are open');
});

test('a keeper that tells for a minute of a connector which runs again is not waited for', async () => {
  const reason = 'the connector runs, but was restarted 2 times lately';
  expect(await illnessOf({ keeper: { connector: { reason } } })).toBeUndefined();
});
