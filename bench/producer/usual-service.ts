import { randomUUIDv7 } from 'node:crypto';
import { createDatabase, databaseConnection, databaseFields } from '@board/mysql';
import {
  configFields,
  createHealth,
  createHttpServer,
  createMetrics,
  readJsonBody,
  runService,
  waitForDependency,
  type ServiceRouter,
} from '@board/service';
import Router from '@koa/router';
import { EntitySchema } from 'typeorm';
import { z } from 'zod';

/**
 * Stores boards the usual way: `save()` of both entities in one `transaction()` per request.
 * Server, log, metrics, pool and tables are those of order-service; the payload is plain JSON.
 */
const boardEntity = new EntitySchema<Record<string, unknown>>({
  name: 'Board',
  tableName: 'board',
  columns: {
    id: { type: 'char', length: 36, primary: true },
    version: { type: 'int', unsigned: true },
    title: { type: 'varchar', length: 200 },
    content: { type: 'mediumtext' },
    author: { type: 'varchar', length: 100, nullable: true },
    createdAt: { name: 'created_at', type: 'datetime', precision: 3 },
    updatedAt: { name: 'updated_at', type: 'datetime', precision: 3 },
  },
});

const outboxEntity = new EntitySchema<Record<string, unknown>>({
  name: 'Outbox',
  tableName: 'outbox',
  columns: {
    id: { type: 'char', length: 36, primary: true },
    aggregateType: { name: 'aggregatetype', type: 'varchar', length: 32 },
    aggregateId: { name: 'aggregateid', type: 'varchar', length: 64 },
    version: { type: 'int', unsigned: true },
    partitionKey: { name: 'partition_key', type: 'varchar', length: 255 },
    type: { type: 'varchar', length: 64 },
    payload: { type: 'mediumblob' },
    occurredAt: { name: 'occurred_at', type: 'datetime', precision: 6 },
  },
});

const body = z.strictObject({
  title: z.string().min(1).max(200),
  content: z.string().max(65_536),
  author: z.string().nullish(),
});

const config = z.object({
  ...configFields.process('usual-service'),
  ...databaseFields,
  HTTP_PORT: configFields.port().default(0),
});

await runService(config, async ({ config: settings, logger, scope }) => {
  const health = createHealth();
  const database = createDatabase({
    connection: databaseConnection(settings),
    entities: [boardEntity, outboxEntity],
    deadlineMs: 10_000,
  });
  scope.defer('database', () => database.close());

  const router: ServiceRouter = new Router();
  router.post('/boards', async (ctx) => {
    const {
      title,
      content,
      author = null,
    } = body.parse(await readJsonBody(ctx, { limitBytes: 448 * 1024 }));
    const now = new Date();
    const board = {
      id: randomUUIDv7(),
      version: 1,
      title,
      content,
      author,
      createdAt: now,
      updatedAt: now,
    };
    const event = {
      id: randomUUIDv7(),
      aggregateType: 'board',
      aggregateId: board.id,
      version: 1,
      partitionKey: author ?? board.id,
      type: 'BoardCreated',
      payload: Buffer.from(JSON.stringify(board)),
      occurredAt: now,
    };
    await database.dataSource.transaction(async (manager) => {
      await manager.save(boardEntity, board);
      await manager.save(outboxEntity, event);
    });
    ctx.status = 201;
    ctx.body = board;
  });

  const server = createHttpServer({
    logger,
    metrics: createMetrics(settings.INSTANCE),
    health,
    routers: [router],
  });
  await server.listen(scope, '127.0.0.1', settings.HTTP_PORT);
  const { readiness, alarms } = health;
  const waiting = {
    logger,
    readiness,
    alarms,
    elapsedMs: () => performance.now(),
    signal: scope.signal,
  };
  const mysql = `MySQL at ${settings.DATABASE_HOST}:${settings.DATABASE_PORT}`;
  await waitForDependency({ name: 'database server', server: mysql }, waiting, () =>
    database.open(),
  );
  logger.info({ event: 'service.ready' });
});
