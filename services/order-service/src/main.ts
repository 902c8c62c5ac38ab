import { randomUUIDv7 } from 'node:crypto';
import { eventSchemas } from '@board/contracts';
import { createDatabase, databaseConnection, ServerSettingsError } from '@board/database-kit';
import { outboxTable } from '@board/outbox';
import {
  createHealth,
  createHttpServer,
  createMetrics,
  guardEventLoop,
  runService,
  waitForDependency,
} from '@board/service-kit';
import { handleCreateBoard } from './application/handle-create-board.ts';
import { serviceSchema } from './config.ts';
import { createBoardReader } from './database/board-reader.ts';
import { boardTable } from './database/board-table.ts';
import { createBoardWriter } from './database/board-writer.ts';
import { boardsRouter } from './http/boards-router.ts';
import { legacyRouter } from './http/legacy-router.ts';
import { createEventEncoder } from './registry/create-event-encoder.ts';
import { readSchemaIds } from './registry/read-schema-ids.ts';
import { toOutboxEvent } from './registry/to-outbox-event.ts';

await runService(serviceSchema, async ({ config, logger, scope }) => {
  guardEventLoop(scope);
  const health = createHealth();
  const database = createDatabase({ connection: databaseConnection(config), entities: [boardTable, outboxTable] });
  scope.defer('database', () => database.close());
  health.readiness.check('database', () => database.read((manager) => manager.query('SELECT 1')));
  const encoder = createEventEncoder(eventSchemas);

  const boards = createBoardReader(database);
  const writer = createBoardWriter(database, (change) => toOutboxEvent(change, encoder));
  const createBoard = handleCreateBoard(writer, { now: () => new Date(), newId: randomUUIDv7 });

  const routers = [boardsRouter(createBoard, boards), ...(config.LEGACY_CREATE ? [legacyRouter(createBoard)] : [])];
  const server = createHttpServer({ logger, metrics: createMetrics(config.INSTANCE), health, routers });
  await server.listen(scope, config.HTTP_HOST, config.HTTP_PORT);

  // Listening comes first: until both answer, requests get 503 and /readyz says why.
  const waiting = {
    logger,
    readiness: health.readiness,
    signal: scope.signal,
    isFatal: (error: unknown) => error instanceof ServerSettingsError,
  };
  await Promise.all([
    waitForDependency('database server', waiting, () => database.open()),
    waitForDependency('schema registry', waiting, async () => {
      encoder.useIds(await readSchemaIds(config.REGISTRY_URL, eventSchemas, scope.signal));
    }),
  ]);
  logger.info({ event: 'service.ready' });
});
