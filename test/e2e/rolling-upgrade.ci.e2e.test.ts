import { catalogConsumer } from '@board/contracts';
import type { RowDataPacket } from '@board/mysql';
import { randomUUID } from 'node:crypto';
import { readTopic, waitUntil } from '@board/test';
import { expect, inject, it } from 'vitest';
import { auditConsumers } from '../../ops/commands/audit/audit-consumers.ts';
import type { RunningService } from '../../services/order-service/test/support/start-service.ts';
import type { LaidOutVersion } from '../upgrade/lay-out-version.ts';
import { nextVersion } from '../upgrade/next-version.ts';
import { openUpgrade, type Service } from '../upgrade/open-upgrade.ts';
import { startLoad } from '../upgrade/start-load.ts';

const stack = inject('stack');

// Sixteen processes start, most of them one after the other.
it(
  'goes from N to N+1 under load, instance by instance, one consumer back and forth: no request fails, each event is applied once',
  { timeout: 600_000 },
  async () => {
    const upgrade = await openUpgrade(stack);
    const { urls, pair } = upgrade;
    const rows = async <Row>(sql: string, values: unknown[] = []): Promise<Row[]> =>
      (await pair.consumer.root.query<RowDataPacket[]>(sql, values))[0] as unknown as Row[];

    const n = upgrade.layOut([]);
    const next = upgrade.layOut(nextVersion);
    await upgrade.migrate(n);
    const idsOfN = await upgrade.register(n);
    const startTwo = (service: Service) =>
      Promise.all([upgrade.start(n, service), upgrade.start(n, service)]);
    const [catalogs, orders] = await Promise.all([
      startTwo('catalog-service'),
      startTwo('order-service'),
    ]);
    const load = startLoad(urls['order-service'], urls['catalog-service']);
    await load.reachMore(100);

    // The new one comes before the old one goes, and both serve for a moment.
    async function replace(
      old: RunningService,
      version: LaidOutVersion,
      service: Service,
    ): Promise<RunningService> {
      const instance = await upgrade.start(version, service);
      await load.reachMore(20);
      await upgrade.stop(old);
      return instance;
    }

    await upgrade.migrate(next);
    const idsOfNext = await upgrade.register(next);
    await load.reachMore(50);
    // Consumers first: they must know the new field before an event has it.
    for (const [index, old] of catalogs.entries())
      catalogs[index] = await replace(old, next, 'catalog-service');
    for (const [index, old] of orders.entries())
      orders[index] = await replace(old, next, 'order-service');

    const written = load.boards.size;
    catalogs[0] = await replace(catalogs[0], n, 'catalog-service');
    const withoutLanguage = (): Promise<{ id: string }[]> =>
      rows(
        'SELECT id FROM catalog WHERE id IN (?) AND version >= 3 AND language IS NULL AND deleted_at IS NULL',
        [[...load.boards.keys()].slice(written)],
      );
    // N+1 always keeps a language, so these events of N+1 were applied by N.
    await waitUntil(
      'events of N+1, applied by N',
      async () => (await withoutLanguage()).length >= 5,
    );
    catalogs[0] = await replace(catalogs[0], next, 'catalog-service');

    const allAgain = load.boards.size;
    await load.reachMore(100);
    await load.stop();
    expect(load.failures).toEqual([]);

    const { host, port } = stack.mysql;
    const [report] = await auditConsumers({
      database: { host, port, user: 'audit', password: stack.passwords.audit },
      kafka: stack,
      connectUrl: stack.connectUrl,
      timeoutMs: 60_000,
      consumers: [catalogConsumer],
      places: {
        sourceSchema: pair.source.name,
        consumerSchema: pair.consumer.name,
        connector: upgrade.group,
        topic: upgrade.topic,
        group: upgrade.group,
      },
    });
    expect(report).toMatchObject({
      outcome: 'clean',
      compared: load.boards.size,
      inStep: load.boards.size,
    });
    const applied = await rows<{ id: string; applied: number; events: number }>(
      `SELECT catalog.id, applied_count AS applied, COUNT(*) AS events FROM catalog
     JOIN ${pair.source.name}.outbox ON outbox.aggregateid = catalog.id GROUP BY catalog.id ORDER BY catalog.id`,
    );
    const acknowledged = [...load.boards].map(([id, version]) => ({
      id,
      applied: version,
      events: version,
    }));
    expect(applied).toEqual(acknowledged.toSorted((one, other) => (one.id < other.id ? -1 : 1)));

    const records = await readTopic(stack.brokers, upgrade.topic);
    expect(new Set(records.map(({ value }) => value?.readInt32BE(1)))).toEqual(
      new Set([...idsOfN, ...idsOfNext]),
    );

    const last = [...load.boards.keys()].slice(allAgain);
    expect(
      await rows(
        'SELECT language, COUNT(*) AS boards FROM catalog WHERE id IN (?) GROUP BY language',
        [last],
      ),
    ).toEqual([{ language: 'ko', boards: last.length }]);

    // What N did not keep comes with the board's next event.
    const [left] = await withoutLanguage();
    const edited = await fetch(`${urls['order-service']}/boards/${left?.id}`, {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() },
      body: '{"title":"다시 고친 글"}',
    });
    expect(edited.status).toBe(200);
    await waitUntil('the language of an edited board', async () => {
      const [board] = await rows<{ language: string | null }>(
        'SELECT language FROM catalog WHERE id = ?',
        [left?.id],
      );
      return board?.language === 'ko';
    });
    await Promise.all([...catalogs, ...orders].map((instance) => upgrade.stop(instance)));
  },
);
