import { openAdmin } from '@board/kafka';
import { uniqueName, waitUntil } from '@board/test';
import { expect, inject, it, onTestFinished } from 'vitest';
import { startOwnConnect } from '../../../stack/test/support/start-own-connect.ts';
import { connectApi, describeConnector, formatReport } from '../src/index.ts';
import { openTemporaryOutbox } from './support/open-temporary-outbox.ts';

const stack = inject('stack');

it('never reports a connector as missing while Connect answers 404 at its start', async () => {
  const outbox = await openTemporaryOutbox(stack);
  onTestFinished(outbox.close);
  const worker = await startOwnConnect(uniqueName('connect'), stack.brokers);
  onTestFinished(async () => {
    await worker.stop();
    const admin = await openAdmin(stack);
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(worker.name));
    await admin.deleteTopics({ topics });
    await admin.disconnect();
  });
  const connect = connectApi(worker.url, { timeoutMs: 2_000 });
  const { name } = outbox.definition;
  // Its state does not matter, only that Connect knows it. The worker's environment names other
  // servers.
  const config = {
    ...outbox.definition,
    'database.hostname': stack.mysql.host,
    'database.port': String(stack.mysql.port),
    'database.user': 'root',
    'database.password': stack.mysql.rootPassword,
  };
  const answer = await fetch(`${worker.url}/connectors`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, config, initial_state: 'STOPPED' }),
  });
  expect(answer.status).toBe(201);
  await waitUntil('registered', async () => (await connect.getStatus(name)) !== undefined);

  await worker.kill();
  worker.start();
  const said = new Set<string>();
  const raw = new Set<number>();
  await waitUntil(
    'registered again',
    async () => {
      await fetch(`${worker.url}/connectors/${name}/status`).then(
        ({ status }) => raw.add(status),
        () => undefined,
      );
      const report = await describeConnector(connect, name).catch((error: unknown) =>
        String(error),
      );
      const isKnown = typeof report !== 'string' && report.status !== null;
      if (!isKnown) said.add(typeof report === 'string' ? report : formatReport(report));
      return isKnown;
    },
    { everyMs: 10, timeoutMs: 90_000 },
  );
  expect([...raw]).toContain(404);
  expect([...said].join('\n')).toContain('Connect is starting and has not read its topics yet');
  expect([...said].filter((line) => line.includes('not registered'))).toEqual([]);
  expect((await connect.getStatus(name))?.connector.state).toBe('STOPPED');
}, 150_000);
