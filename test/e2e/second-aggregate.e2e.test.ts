import { randomUUIDv7 } from 'node:crypto';
import { connectApi, defineConnector, registerConnector } from '@board/connectors';
import { createDatabase } from '@board/database-kit';
import { openInboxLab, thingLogHandler } from '@board/inbox/testing';
import { createOutboxTable, createUnitOfWork, outboxTable } from '@board/outbox';
import { waitUntil } from '@board/test';
import { expect, inject, it, onTestFinished } from 'vitest';

const stack = inject('stack');

interface Comment {
  readonly id: string;
  readonly version: number;
  readonly text: string;
}

it('carries an aggregate that neither half has ever heard of: comments, written, edited, applied once and in order', async () => {
  const lab = await openInboxLab(stack);
  onTestFinished(() => lab.close());
  await lab.schema.root.query(createOutboxTable(['comment']));
  await lab.schema.root.query(
    'CREATE TABLE comment (id CHAR(36) PRIMARY KEY, version INT UNSIGNED NOT NULL, text TEXT NOT NULL)',
  );

  const database = createDatabase({ connection: lab.schema.connection, entities: [outboxTable] });
  await database.open();
  onTestFinished(() => database.close());
  const comments = createUnitOfWork<Comment>(database, {
    writeChanges: async (manager, changes) => {
      const rows = changes.map(({ id, version, text }) => [id, version, text]);
      await manager.query(
        'INSERT INTO comment VALUES ? AS changed ON DUPLICATE KEY UPDATE version = changed.version, text = changed.text',
        [rows],
      );
    },
    toEvent: ({ id, version, text }) => ({
      id: randomUUIDv7(),
      aggregateType: 'comment',
      aggregateId: id,
      version,
      partitionKey: id,
      type: 'ThingChanged',
      payload: lab.thing(id, version, { text }).value as Buffer,
      traceparent: null,
      occurredAt: new Date(),
    }),
  });

  const name = `connector_${lab.schema.name}`;
  const definition = defineConnector({
    name,
    database: lab.schema.name,
    serverId: 300_000 + Math.floor(Math.random() * 1_000_000),
    topic: lab.topic,
  });
  onTestFinished(() => connectApi(stack.connectUrl).remove(name));
  await registerConnector({ connectUrl: stack.connectUrl, brokers: stack.brokers, definition });
  await lab.start(thingLogHandler({ batch: true }), { aggregateType: 'comment' });

  const ids = [randomUUIDv7(), randomUUIDv7()];
  for (const version of [1, 2, 3])
    for (const id of ids) await comments.commit({ id, version, text: `댓글 ${version}` });

  const log = () =>
    lab.rows<{ aggregateid: string; version: number }>('SELECT aggregateid, version FROM thing_log ORDER BY seq');
  await waitUntil('six effects', async () => (await log()).length >= 6);
  for (const id of ids)
    expect((await log()).filter((row) => row.aggregateid === id).map(({ version }) => version)).toEqual([1, 2, 3]);
  expect(await lab.rows('SELECT aggregatetype, version FROM mark')).toEqual(
    ids.map(() => ({ aggregatetype: 'comment', version: 3 })),
  );
});
