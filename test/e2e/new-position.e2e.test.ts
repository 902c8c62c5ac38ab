import { boardTopic } from '@board/contracts';
import { boardOutbox, connectApi, registerConnector } from '@board/relay';
import { openConnection, type RowDataPacket } from '@board/mysql';
import { openBoardWriter, readTopic, waitUntil } from '@board/test';
import { expect, inject, it, onTestFinished } from 'vitest';
import { auditConsumers } from '../../ops/commands/audit/audit-consumers.ts';

const stack = inject('stack');
const rowsPerTick = 50;
const tickMs = 100;

it('loses no id and doubles no effect when the connector gets a new position under 500 inserts/s', async () => {
  const writer = await openBoardWriter(stack);
  onTestFinished(() => writer.close());
  const { host, port } = stack.mysql;
  const database = await openConnection({
    host,
    port,
    user: 'audit',
    password: stack.passwords.audit,
  });
  onTestFinished(() => database.end());

  const ids: string[] = [];
  const stopping = new AbortController();
  const load = (async () => {
    for (let due = Date.now(); !stopping.signal.aborted; due += tickMs) {
      ids.push(...(await writer.create(rowsPerTick)));
      await waitUntil('the next tick', () => Date.now() >= due + tickMs, { everyMs: 5 });
    }
  })();
  const reach = (count: number) =>
    waitUntil(`${count} boards`, () => ids.length >= count, { timeoutMs: 60_000 });

  await reach(500);
  const api = connectApi(stack.connectUrl);
  await api.stop(boardOutbox.name);
  await waitUntil('the offsets deleted', async () => {
    await api.deleteOffsets(boardOutbox.name);
    return true;
  });
  await reach(1_000);
  await registerConnector({ connectUrl: stack.connectUrl, brokers: stack.brokers });
  await reach(ids.length + 500);
  stopping.abort();
  await load;

  await waitUntil(
    'every board applied',
    async () => {
      const [rows] = await database.query<RowDataPacket[]>(
        'SELECT COUNT(*) AS n FROM catalog_service.catalog WHERE id IN (?)',
        [ids],
      );
      return Number(rows[0]?.['n']) === ids.length;
    },
    { timeoutMs: 90_000 },
  );
  const [counts] = await database.query(
    'SELECT DISTINCT applied_count FROM catalog_service.catalog WHERE id IN (?)',
    [ids],
  );
  expect(counts).toEqual([{ applied_count: 1 }]);

  // The new position shipped what was shipped before: without copies this test would prove nothing.
  const records = await readTopic(stack.brokers, boardTopic.name);
  expect(records.length).toBeGreaterThan(new Set(records.map(({ headers }) => headers['id'])).size);

  // Nothing proves yet that no event was lost: the keeper is red until a clean audit closes its
  // incident.
  const alarms = async (): Promise<string> => (await fetch(`${stack.keeperUrl}/alarms`)).text();
  await waitUntil('the keeper is red', async () =>
    /"position":.*(lost its position|new snapshot)/.test(await alarms()),
  );
  const [audit] = await auditConsumers({
    database: { host, port, user: 'audit', password: stack.passwords.audit },
    kafka: stack,
    connectUrl: stack.connectUrl,
    timeoutMs: 60_000,
  });
  expect(audit).toMatchObject({
    outcome: 'clean',
    notes: [expect.stringContaining('Closed by this audit')],
  });
  await waitUntil('the keeper is quiet', async () => !(await alarms()).includes('"position"'));
});
