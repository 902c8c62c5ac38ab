import { spawn } from 'node:child_process';
import { randomUUIDv7 } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createTestSchema,
  databaseEnvironment,
  waitUntil,
  type StackAddresses,
  type TestSchema,
} from '@board/test';

/** A service under load, with a schema of its own. */
export interface Contender {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  readonly schema: TestSchema;
  stop(): Promise<void>;
}

const fileOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const migrate = fileOf('services/order-service/src/migrate.ts');

/** The main files of the services that are compared. */
export const mains = {
  ours: fileOf('services/order-service/src/main.ts'),
  usual: fileOf('bench/producer/usual-service.ts'),
} as const;

/**
 * Creates a schema with order-service's tables, runs `fill` on it and starts the service on a free
 * port; returns when the service is ready.
 */
export async function startContender(
  stack: StackAddresses,
  name: string,
  main: string,
  fill: (schema: TestSchema) => Promise<void> = async () => undefined,
): Promise<Contender> {
  const schema = await createTestSchema(stack);
  try {
    const env = {
      ...databaseEnvironment(schema.connection),
      REGISTRY_URL: stack.registryUrl,
      HTTP_PORT: '0',
    };
    await runToEnd(migrate, env);
    await fill(schema);
    // As in the native stack the log goes into a file: with a pipe the service would wait for its
    // reader.
    const folder = mkdtempSync(join(tmpdir(), 'bench-'));
    const logFile = join(folder, 'service.log');
    const child = spawn(process.execPath, [main], {
      env,
      stdio: ['ignore', openSync(logFile, 'a'), 'inherit'],
    });
    const ended = once(child, 'exit');
    const httpPort = await waitForPort(logFile);
    await waitForReady(`http://127.0.0.1:${httpPort}/readyz`);
    return {
      name,
      url: `http://127.0.0.1:${httpPort}`,
      pid: child.pid ?? 0,
      schema,
      async stop() {
        child.kill('SIGTERM');
        await ended;
        rmSync(folder, { recursive: true });
        await schema.drop();
      },
    };
  } catch (error) {
    await schema.drop();
    throw error;
  }
}

async function runToEnd(file: string, env: NodeJS.ProcessEnv): Promise<void> {
  const [code] = await once(
    spawn(process.execPath, [file], { env, stdio: ['ignore', 'ignore', 'inherit'] }),
    'exit',
  );
  if (code !== 0) throw new Error(`${file} ended with ${String(code)}`);
}

async function waitForPort(logFile: string): Promise<number> {
  let port = 0;
  await waitUntil('the service listens', () => {
    port = Number(/"http.listening".*"port":(\d+)/.exec(readFileSync(logFile, 'utf8'))?.[1] ?? 0);
    return port > 0;
  });
  return port;
}

async function waitForReady(url: string): Promise<void> {
  await waitUntil(`${url} is ready`, async () => {
    const answer = await fetch(url);
    await answer.body?.cancel();
    return answer.ok;
  });
}

const boardsPerStatement = 2_000;

/** Stores boards with their events as order-service does, in large transactions. */
export async function fillBoards(
  { root }: TestSchema,
  boards: number,
  onProgress: (stored: number) => void,
) {
  const now = new Date();
  const content = '안녕하세요. 이것은 벤치마크에 쓰는 본문입니다. '.repeat(6);
  for (let stored = 0; stored < boards; stored += boardsPerStatement) {
    const ids = Array.from({ length: Math.min(boardsPerStatement, boards - stored) }, () =>
      randomUUIDv7(),
    );
    await root.query(
      'INSERT INTO board (id, version, title, content, author, created_at, updated_at) VALUES ?',
      [ids.map((id) => [id, 1, '벤치마크 게시글 🎉', content, '민지', now, now])],
    );
    await root.query(
      `INSERT INTO outbox (id, aggregatetype, aggregateid, version, partition_key, type, payload,
        occurred_at) VALUES ?`,
      [
        ids.map((id) => [
          randomUUIDv7(),
          'board',
          id,
          1,
          '민지',
          'BoardCreated',
          Buffer.from(content),
          now,
        ]),
      ],
    );
    onProgress(stored + ids.length);
  }
}
