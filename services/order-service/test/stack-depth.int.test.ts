import { randomUUIDv7 } from 'node:crypto';
import { join } from 'node:path';
import { eventSchemas } from '@board/contracts';
import { createDatabase, type Database } from '@board/mysql';
import { createGroupCommit } from '@board/outbox';
import {
  createHealth,
  createHttpServer,
  createLogger,
  createMetrics,
  createScope,
} from '@board/service';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { boardCommands } from '../src/application/board-commands.ts';
import type { Refusal } from '../src/application/ports.ts';
import { handleCommand } from '../src/application/handle-command.ts';
import { boardRows, boardTable, createBoardReader } from '../src/database/aggregate-store.ts';
import type { Board } from '../src/domain/board.ts';
import { boardsRouter } from '../src/http/boards-router.ts';
import { createEventEncoder } from '../src/registry/event-encoder.ts';
import { prepareOrderService } from './support/prepare-order-service.ts';
import { readSchemaIds } from './support/read-schema-ids.ts';

const mostFrames = 16;
const checkout = join(import.meta.dirname, '../../..');

/** Our functions on the stack of this moment, the innermost first, async callers included. */
function readOurFrames(): readonly string[] {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  const lines = new Error('here').stack?.split('\n') ?? [];
  Error.stackTraceLimit = limit;
  return lines
    .filter(
      (line) => line.includes(`${checkout}/packages/`) || line.includes(`${checkout}/services/`),
    )
    .filter((line) => !line.includes('/node_modules/') && !line.includes(import.meta.filename))
    .map((line) =>
      line
        .trim()
        .replace(/^at (async )?/, '')
        .replace(`${checkout}/`, '')
        .replace('file://', ''),
    );
}

/**
 * The way in two pieces: nothing leads from the transaction back to the request that left its
 * command in the queue.
 */
function watchWay({ dataSource }: Database) {
  const pieces: Record<'queueing' | 'committing', readonly string[]> = {
    queueing: [],
    committing: [],
  };
  const { setImmediate: later } = globalThis;
  const spy = vi.spyOn(globalThis, 'setImmediate').mockImplementation((...given) => {
    const frames = readOurFrames();
    if (frames.some((frame) => frame.includes('/group-commit.ts'))) pieces.queueing = frames;
    return later(...given);
  });
  onTestFinished(() => spy.mockRestore());
  const createRunner = dataSource.createQueryRunner.bind(dataSource);
  dataSource.createQueryRunner = (mode) => {
    const runner = createRunner(mode);
    const commit = runner.commitTransaction.bind(runner);
    runner.commitTransaction = async () => {
      pieces.committing = readOurFrames();
      await commit();
    };
    return runner;
  };
  return pieces;
}

async function serveBoards() {
  const { registryUrl } = inject('stack');
  const { connection } = await prepareOrderService();
  const scope = createScope();
  onTestFinished(() => scope.close());
  const database = createDatabase({ connection, entities: [boardTable], lockWaitSeconds: 1 });
  scope.defer('database', () => database.close());
  await database.open();
  const encoder = createEventEncoder(eventSchemas);
  encoder.useIds(await readSchemaIds(registryUrl, eventSchemas));
  const commits = createGroupCommit<Board, Refusal>({ database, rows: boardRows });
  scope.defer('group commit', () => commits.idle());
  const handle = handleCommand(boardCommands, {
    commits,
    encode: encoder.encode,
    now: () => new Date(),
    newId: randomUUIDv7,
  });
  const server = createHttpServer({
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics: createMetrics('test'),
    health: createHealth(),
    routers: [
      boardsRouter(
        { what: 'board', handle, requestDeadlineMs: 5_000, bodyDeadlineMs: 5_000 },
        createBoardReader(database),
      ),
    ],
  });
  const port = await server.listen(scope, '127.0.0.1', 0);
  return { url: `http://127.0.0.1:${port}`, database };
}

test(`a POST is at most ${mostFrames} of our functions deep, from the HTTP server to its COMMIT`, async () => {
  const { url, database } = await serveBoards();
  const pieces = watchWay(database);
  const answer = await fetch(`${url}/boards`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ title: 'deep', content: '' }),
  });
  expect(answer.status).toBe(201);
  const all = [...pieces.queueing, ...pieces.committing];
  process.stdout.write(
    `${all.length} of our frames at the COMMIT of a POST:\n  ${all.join('\n  ')}\n`,
  );
  // Each piece has been seen, down to where it begins.
  expect(pieces.queueing.join()).toContain('/http/boards-router.ts');
  expect(pieces.committing.join()).toContain('/group-commit.ts');
  expect(all.length).toBeLessThanOrEqual(mostFrames);
});
