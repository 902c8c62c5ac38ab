import { randomUUIDv7 } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { boardTopic, catalogConsumer, eventSchemas, type BoardEvent } from '@board/contracts';
import { connectApi, type ConnectApi } from '@board/relay';
import { createDatabase, openConnection } from '@board/mysql';
import { startInbox, type Handler } from '@board/inbox';
import { connectKafka } from '@board/kafka';
import { createHealth, createLogger, createMetrics, createScope } from '@board/service';
import { uniqueName, type StackAddresses } from '@board/test';
import { boardHandler } from '../../../services/catalog-service/src/application/board-handler.ts';
import { catalogWriter } from '../../../services/catalog-service/src/database/catalog-table.ts';
import { createEventEncoder } from '../../../services/order-service/src/registry/event-encoder.ts';
import { readSchemaIds } from '../../../services/order-service/test/support/read-schema-ids.ts';
import type { AuditPlaces } from '../../commands/audit/audit-consumers.ts';
import { openBoardPair, type BoardPair } from './open-board-pair.ts';
import { openBoardRoute } from './open-board-route.ts';

/**
 * The whole pipeline without HTTP for one test: connector, topic and consumer group between the
 * schemas of a board pair.
 */
export interface BoardPipeline {
  readonly pair: BoardPair;
  readonly group: string;
  readonly connect: ConnectApi;
  /** The names that an audit needs. */
  readonly places: Partial<AuditPlaces> & { readonly connector: string };
  /** Commits the board's next version and its event in one transaction, as order-service does. */
  change(id: string, options?: { readonly payload?: Buffer }): Promise<void>;
  stopConsumer(): Promise<void>;
  close(): Promise<void>;
}

export async function openBoardPipeline(
  stack: StackAddresses,
  options: {
    readonly boards: number;
    readonly sabotage?: (event: BoardEvent, attempt: number) => void;
    /** The file of the consumer's log; undefined: no log. */
    readonly logFile?: string;
  },
): Promise<BoardPipeline> {
  const scope = createScope();
  const name = uniqueName('audited');
  const pair = await openBoardPair(stack, name);
  scope.defer('schemas', () => pair.close());

  const topic = await openBoardRoute(stack, scope, { name, database: pair.source.name });
  // After the route: the connector's first snapshot would ship these rows.
  await pair.fill(options.boards);

  const database = createDatabase({ connection: pair.consumer.connection, entities: [] });
  await database.open();
  scope.defer('database', () => database.close());
  const { logFile } = options;
  const logger =
    logFile === undefined
      ? createLogger({ name, level: 'silent' })
      : createLogger({
          name,
          level: 'info',
          destination: { write: (line) => appendFileSync(logFile, line) },
        });
  const consumer = createScope();
  scope.defer('consumer', () => consumer.close());
  await startInbox({
    consumer: { ...catalogConsumer, group: name, source: topic },
    handler: sabotaged(boardHandler(catalogWriter), options.sabotage),
    registryUrl: stack.registryUrl,
    kafka: connectKafka(stack, name, logger),
    dataSource: database.dataSource,
    logger,
    metrics: createMetrics(name),
    health: createHealth(),
    scope: consumer,
    fail: () => undefined,
    settings: { retryBaseMs: 2_000, sweepEveryMs: 500 },
  });

  const encoder = createEventEncoder(eventSchemas);
  encoder.useIds(await readSchemaIds(stack.registryUrl, eventSchemas));
  const { host, port, name: sourceSchema, user, password } = pair.source.connection;
  const writer = await openConnection({
    host,
    port,
    database: sourceSchema,
    user,
    password,
    timezone: 'Z',
  });
  scope.defer('writer', () => writer.end());

  return {
    pair,
    group: name,
    connect: connectApi(stack.connectUrl),
    places: {
      sourceSchema: pair.source.name,
      consumerSchema: pair.consumer.name,
      connector: name,
      topic: topic.name,
      group: name,
    },
    async change(id, { payload } = {}) {
      const now = Date.now();
      await writer.beginTransaction();
      await writer.query(
        `INSERT INTO board (id, version, title, content, author, created_at, updated_at)
          VALUES (?, 1, 'new', '새 글', NULL, ?, ?)
         ON DUPLICATE KEY UPDATE version = version + 1, title = CONCAT('version ', version),
           updated_at = VALUES(updated_at)`,
        [id, new Date(now), new Date(now)],
      );
      const [rows] = await writer.query('SELECT * FROM board WHERE id = ?', [id]);
      const [board] = rows as unknown as [Board];
      const data = {
        id,
        version: board.version,
        title: board.title,
        content: board.content,
        author: board.author,
        createdAt: board.created_at.getTime(),
        updatedAt: board.updated_at.getTime(),
      };
      const event: BoardEvent =
        board.deleted_at === null
          ? { type: board.version === 1 ? 'BoardCreated' : 'BoardEdited', data }
          : { type: 'BoardDeleted', data: { ...data, deletedAt: board.deleted_at.getTime() } };
      await writer.query(
        `INSERT INTO outbox (id, aggregatetype, aggregateid, version, partition_key, type,
          payload, occurred_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        [
          randomUUIDv7(),
          boardTopic.name,
          id,
          board.version,
          id,
          event.type,
          payload ?? encoder.encode(event),
          new Date(now),
        ],
      );
      await writer.commit();
    },
    stopConsumer: () => consumer.close(),
    close: () => scope.close(),
  };
}

interface Board {
  readonly version: number;
  readonly title: string;
  readonly content: string;
  readonly author: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly deleted_at: Date | null;
}

function sabotaged(
  handler: Handler<BoardEvent>,
  sabotage: (event: BoardEvent, attempt: number) => void = () => undefined,
): Handler<BoardEvent> {
  return {
    afterDeadLetter: handler.afterDeadLetter,
    handle(message, tx, signal) {
      sabotage(message.event, message.attempt);
      return handler.handle(message, tx, signal);
    },
  };
}
