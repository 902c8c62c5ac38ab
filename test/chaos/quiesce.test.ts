import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { ChaosStack } from './chaos-stack.ts';
import { allowedMs, findHealthProblem } from './quiesce.ts';
import { processNames } from './schedule.ts';

interface StackView {
  readonly missing?: string;
  readonly frozen?: string;
  readonly task?: string;
  readonly keeper?: Record<string, { reason: string }>;
  readonly catalog?: Record<string, { reason: string }>;
}

/** A stack that answers only the questions about its health. */
async function createStandIn({
  missing,
  frozen,
  task = 'RUNNING',
  keeper = {},
  catalog = {},
}: StackView): Promise<ChaosStack> {
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
    .map((name) => ({ name, phase: name === frozen ? 'keeps-failing' : 'running' }));
  return {
    processes: () => processes,
    connectUrl: url,
    orderServiceUrl: `${url}/orders`,
    keeperUrl: `${url}/keeper`,
    catalogUrls: [`${url}/catalog`],
  } as unknown as ChaosStack;
}

const problemOf = async (view: StackView, expectsDeadLetters = false) =>
  findHealthProblem(await createStandIn(view), expectsDeadLetters);

test('a stack is healthy when everything runs and no alarm is raised', async () => {
  expect(await problemOf({})).toBeUndefined();
});

test('a missing process, one that keeps failing, a failed task and an alarm are each named', async () => {
  expect(await problemOf({ missing: 'keeper' })).toBe('keeper missing');
  expect(await problemOf({ frozen: 'mysql' })).toBe('mysql keeps-failing');
  expect(await problemOf({ task: 'FAILED' })).toBe('connector: RUNNING, task FAILED');
  expect(
    await problemOf({ keeper: { connector: { reason: 'the connector has failed again' } } }),
  ).toContain('/keeper/alarms: connector: the connector has failed again');
});

test('dead letters make a stack unhealthy only where none are expected', async () => {
  const catalog = { 'dead letters': { reason: '3 are open' } };
  expect(await problemOf({ catalog }, true)).toBeUndefined();
  expect(await problemOf({ catalog }, false)).toContain('dead letters: 3 are open');
});

test('the alarm about a connector that runs again does not make a stack unhealthy', async () => {
  const reason = 'the connector runs, but was restarted 2 times lately';
  expect(await problemOf({ keeper: { connector: { reason } } })).toBeUndefined();
});

test('a stack must be quiet within 90 s, and within 240 s where the relay was stalled lately', () => {
  const lastFaultEndedAt = 1_000_000;
  expect(allowedMs(null, lastFaultEndedAt)).toBe(90_000);
  expect(allowedMs(lastFaultEndedAt - 61_000, lastFaultEndedAt)).toBe(90_000);
  expect(allowedMs(lastFaultEndedAt - 59_000, lastFaultEndedAt)).toBe(240_000);
  expect(allowedMs(lastFaultEndedAt + 45_000, lastFaultEndedAt)).toBe(240_000);
});
