import { randomUUIDv7 } from 'node:crypto';
import { connectApi, defineConnector, registerConnector } from '@board/relay';
import { createDatabase } from '@board/mysql';
import { openInboxLab, thingLogHandler } from '@board/inbox/testing';
import { createGroupCommit, createOutboxTable } from '@board/outbox';
import { waitUntil } from '@board/test';
import type { EntityManager } from 'typeorm';
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

  const database = createDatabase({ connection: lab.schema.connection, entities: [] });
  await database.open();
  onTestFinished(() => database.close());
  const comments = createGroupCommit<Comment, never>({
    database,
    rows: { lock: lockComments, exist: findComments, insert: writeComments, update: writeComments },
  });
  const write = (id: string, text: string, target: 'new' | 'existing') =>
    comments.commit({
      aggregateId: id,
      eventId: randomUUIDv7(),
      target,
      bytes: text.length,
      decide(comment) {
        const version = (comment?.version ?? 0) + 1;
        const event = {
          id: randomUUIDv7(),
          aggregateType: 'comment',
          aggregateId: id,
          version,
          partitionKey: id,
          type: 'ThingChanged',
          payload: lab.thing(id, version, { text }).value as Buffer,
          traceparent: null,
          occurredAt: new Date(),
        };
        return { kind: 'change', state: { id, version, text }, event };
      },
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
  await Promise.all(ids.map((id) => write(id, '댓글', 'new')));
  await Promise.all(
    ids.flatMap((id) => [
      write(id, '고친 댓글', 'existing'),
      write(id, '다시 고친 댓글', 'existing'),
    ]),
  );

  const log = () =>
    lab.rows<{ aggregateid: string; version: number }>(
      'SELECT aggregateid, version FROM thing_log ORDER BY seq',
    );
  await waitUntil('six effects', async () => (await log()).length >= 6);
  for (const id of ids)
    expect(
      (await log()).filter((row) => row.aggregateid === id).map(({ version }) => version),
    ).toEqual([1, 2, 3]);
  expect(await lab.rows('SELECT aggregatetype, version FROM mark')).toEqual(
    ids.map(() => ({ aggregatetype: 'comment', version: 3 })),
  );
});

async function lockComments(
  manager: EntityManager,
  ids: readonly string[],
  held: 'leave' | 'wait',
) {
  const wait = held === 'leave' ? ' SKIP LOCKED' : '';
  const found: Comment[] = await manager.query(
    `SELECT id, version, text FROM comment WHERE id IN (?) ORDER BY id FOR UPDATE${wait}`,
    [ids],
  );
  return new Map(found.map((comment) => [comment.id, comment]));
}

async function findComments(manager: EntityManager, ids: readonly string[]) {
  const found: Comment[] = await manager.query('SELECT id FROM comment WHERE id IN (?)', [ids]);
  return new Set(found.map(({ id }) => id));
}

async function writeComments(manager: EntityManager, comments: readonly Comment[]) {
  await manager.query(
    `INSERT INTO comment (id, version, text) VALUES ? AS changed
     ON DUPLICATE KEY UPDATE version = changed.version, text = changed.text`,
    [comments.map(({ id, version, text }) => [id, version, text])],
  );
}
