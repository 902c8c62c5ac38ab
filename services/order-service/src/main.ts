import { randomUUIDv7 } from 'node:crypto';
import { aggregates, eventSchemas } from '@board/contracts';
import { createDatabase, databaseConnection, ServerSettingsError } from '@board/mysql';
import {
  createCommitMetrics,
  createGroupCommit,
  defaultCommitLimits,
  type AggregateRows,
} from '@board/outbox';
import {
  createElapsedClock,
  createHealth,
  createHttpServer,
  createMetrics,
  createOutageAlarm,
  docsRouter,
  guardEventLoop,
  runService,
  waitForDependency,
} from '@board/service';
import { boardCommands } from './application/board-commands.ts';
import { commentCommands } from './application/comment-commands.ts';
import type { Refusal } from './application/ports.ts';
import {
  handleCommand,
  type AggregateCommands,
  type Numbered,
} from './application/handle-command.ts';
import { serviceSchema } from './config.ts';
import {
  boardRows,
  boardTable,
  commentRows,
  commentTable,
  createBoardFinder,
  createBoardReader,
  createCommentFinder,
} from './database/aggregate-store.ts';
import { watchWrites } from './database/watch-writes.ts';
import type { CommandEdge } from './http/answer-command.ts';
import { apiDocument } from './http/api-document.ts';
import { boardsRouter, legacyRouter } from './http/boards-router.ts';
import { commentsRouter } from './http/comments-router.ts';
import { assertOwnLimits, assertServerLimits } from './limits.ts';
import { createEventEncoder, keepSchemaIds } from './registry/event-encoder.ts';
import { connectRegistry, createSchemaMemory } from './registry/registered-schemas.ts';

await runService(serviceSchema, async ({ config, logger, scope }) => {
  guardEventLoop(scope);
  assertOwnLimits();
  const clock = createElapsedClock();
  scope.defer('clock', () => clock.stop());
  const health = createHealth();
  const metrics = createMetrics(config.INSTANCE);
  const connection = databaseConnection(config);
  // Less than the 1.8 s of a command: then the outcome of an unknown COMMIT can still be read.
  const deadlineMs = 1_400;
  const entities = [boardTable, commentTable];
  // A pool of its own: a flood of slow reads must not take the connections of the commits.
  const reads = createDatabase({ connection, entities, poolSize: 5, deadlineMs });
  scope.defer('reads', () => reads.close());
  const database = createDatabase({
    connection,
    entities,
    // What each kind of aggregate may hold at once, and three for the checks.
    poolSize:
      aggregates.length * (defaultCommitLimits.transactions + defaultCommitLimits.heldWaits) + 3,
    deadlineMs,
    lockWaitSeconds: 1,
    // Otherwise reads would go on from the old server without an error, and miss what is written to
    // the new one.
    onReadOnly: () => reads.retireConnections(),
  });
  scope.defer('database', () => database.close());
  // Not a read: after a switch-over it still succeeds on the old server, which takes no writes.
  health.readiness.check('database', () => database.assertTakesWrites());
  const encoder = createEventEncoder(eventSchemas);
  const schemaIds = keepSchemaIds({
    registry: connectRegistry(config.REGISTRY_URL, scope.signal),
    memory: createSchemaMemory(database),
    schemas: eventSchemas,
    encoder,
    health,
    logger,
  });

  const commitMetrics = createCommitMetrics(metrics);
  const parts = { encode: encoder.encode, now: () => new Date(), newId: randomUUIDv7 };
  const { REQUEST_DEADLINE_MS: requestDeadlineMs, BODY_DEADLINE_MS: bodyDeadlineMs } = config;
  /** Opens the group commit of a kind of aggregate: its commands share transactions. */
  function takeCommands<Command extends object, State extends Numbered>(
    kind: AggregateCommands<Command, State>,
    rows: AggregateRows<State>,
  ): CommandEdge<Command, State> {
    const what = kind.aggregateType;
    const commits = createGroupCommit<State, Refusal>({
      database,
      rows,
      metrics: commitMetrics(what),
    });
    scope.defer(`commits of ${what}`, () => commits.idle());
    return {
      what,
      handle: handleCommand(kind, { ...parts, commits }),
      requestDeadlineMs,
      bodyDeadlineMs,
    };
  }

  const boards = createBoardReader(reads);
  const boardEdge = takeCommands(boardCommands, boardRows);
  const routers = [
    boardsRouter(boardEdge, boards),
    commentsRouter(
      takeCommands(commentCommands, commentRows),
      createBoardFinder(database),
      createCommentFinder(reads),
    ),
    ...(config.LEGACY_CREATE ? [legacyRouter(boardEdge)] : []),
    docsRouter(apiDocument({ legacyCreate: config.LEGACY_CREATE })),
  ];
  const server = createHttpServer({ logger, metrics, health, routers });
  await server.listen(scope, config.HTTP_HOST, config.HTTP_PORT, config.SHUTDOWN_DELAY_MS);

  // Must come after listen: until both servers answer, requests get 503 and /readyz says why.
  const waiting = {
    logger,
    readiness: health.readiness,
    alarms: health.alarms,
    elapsedMs: clock.now,
    signal: scope.signal,
    isFatal: (error: unknown) => error instanceof ServerSettingsError,
  };
  const mysql = `MySQL at ${connection.host}:${connection.port}`;
  await waitForDependency({ name: 'database server', server: mysql }, waiting, async () => {
    await database.open();
    await reads.open();
    await assertServerLimits(database);
  });
  // Must come after the database, which remembers what each schema id meant.
  const registry = {
    name: 'schema registry',
    server: `the registry at ${new URL(config.REGISTRY_URL).host}`,
  };
  await waitForDependency(registry, waiting, () => schemaIds.open());
  const schemaCheck = setInterval(() => void schemaIds.check(), config.SCHEMA_CHECK_MS);
  scope.defer('schema check', () => clearInterval(schemaCheck));
  const outage = createOutageAlarm({
    alarms: health.alarms,
    key: 'database server',
    what: `${mysql} cannot be used`,
    elapsedMs: clock.now,
  });
  scope.defer('watch of writes', watchWrites(database, health.alarms, outage));
  logger.info({ event: 'service.ready' });
});
