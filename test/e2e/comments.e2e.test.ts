import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { commentsConsumer } from '@board/contracts';
import { databaseEnvironment, postBoard, spawnService, waitUntil } from '@board/test';
import { openConnection, type DriverConnection } from '@board/mysql';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

/**
 * The running example of docs/your-own-events.md, as a user of it sees it: order-service,
 * comment-service, the operator's commands.
 */

const stack = inject('stack');
const checkout = resolve(import.meta.dirname, '../..');
const { database, group } = commentsConsumer;

const connection = {
  host: stack.mysql.host,
  port: stack.mysql.port,
  name: database,
  user: database,
  password: stack.passwords[database] ?? '',
};
/** Beside the one of the test stack: a stack that was started by hand may have none. */
const service = spawnService(resolve(checkout, `services/${group}/src/main.ts`), {
  ...databaseEnvironment(connection),
  INSTANCE: `${group}-of-test`,
  KAFKA_BROKERS: stack.brokers.join(','),
  REGISTRY_URL: stack.registryUrl,
});
let url: string;
let root: DriverConnection;
let boardId: string;

beforeAll(async () => {
  const { host, port } = stack.mysql;
  root = await openConnection({ host, port, user: 'root', password: stack.mysql.rootPassword });
  url = (await service.url()) ?? '';
  await waitUntil('comment-service is ready', async () => (await fetch(`${url}/readyz`)).ok);
  boardId = (await postBoard(stack, { title: '게시글', content: '' })).id;
}, 90_000);
afterAll(async () => {
  service.kill();
  await service.ended;
  await root.end();
});

function post(text: string, board = boardId, key: string = randomUUID()): Promise<Response> {
  return fetch(`${stack.orderServiceUrl}/boards/${board}/comments`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
    body: JSON.stringify({ text, author: '민지' }),
  });
}

async function add(text: string): Promise<string> {
  const answer = await post(text);
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { id: string }).id;
}

async function remove(id: string): Promise<void> {
  expect(
    (await fetch(`${stack.orderServiceUrl}/comments/${id}`, { method: 'DELETE' })).status,
  ).toBe(204);
}

async function read(): Promise<{ count: number; texts: string[] }> {
  const answer = await fetch(`${url}/boards/${boardId}/comments`);
  const { count, comments } = (await answer.json()) as {
    count: number;
    comments: { text: string }[];
  };
  return { count, texts: comments.map(({ text }) => text) };
}

/** A command as an operator runs it on this stack. */
function run(
  command: string,
  ...args: readonly string[]
): Promise<{ exitCode: number; out: string }> {
  const file = resolve(checkout, `ops/commands/${command}.ts`);
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [file, ...args, '--instance', stack.instance],
      { env: { PATH: process.env['PATH'] } },
      (_error, out, err) => done({ exitCode: child.exitCode ?? -1, out: out + err }),
    );
  });
}

/** While `work` runs, comment-service's database refuses comments of this text. */
async function refusing(
  text: string,
  work: (allow: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const allow = async (): Promise<void> =>
    void (await root.query(`DROP TRIGGER IF EXISTS ${database}.refuse`));
  await root.query(
    `CREATE TRIGGER ${database}.refuse BEFORE INSERT ON ${database}.comment FOR EACH ROW
       IF NEW.text = '${text}' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'refused'; END IF`,
  );
  try {
    await work(allow);
  } finally {
    await allow();
  }
}

/** Waits until the comment's event has become a dead letter. */
const deadLettered = (id: string): Promise<unknown> =>
  waitUntil(
    'a dead letter',
    async () => (await run('dlq', 'list', ...ofComments, '--json')).out.includes(id),
    {
      timeoutMs: 60_000,
      everyMs: 500,
    },
  );

/** Waits until both events of the comment are applied. */
const appliedBoth = (id: string): Promise<unknown> =>
  waitUntil(
    'both events applied',
    async () => (await run('trace', id)).out.includes('consumer comments has come to version 2.'),
    { timeoutMs: 60_000, everyMs: 500 },
  );

const ofComments = ['--consumer', commentsConsumer.name] as const;

it('brings a comment from POST to comment-service, and removes it again, each once', async () => {
  const [first] = [await add('첫 댓글 🎉'), await add('둘째')];
  await waitUntil('two comments', async () => (await read()).count === 2);
  expect((await read()).texts).toEqual(['첫 댓글 🎉', '둘째']);
  await remove(first);
  await waitUntil('one comment', async () => (await read()).count === 1);
  expect((await read()).texts).toEqual(['둘째']);
  const { exitCode, out } = await run('trace', first);
  expect([exitCode, out]).toEqual([
    0,
    expect.stringContaining(`Comment ${first}: version 2, deleted`),
  ]);
  expect(out).toContain('consumer comments has come to version 2.');
  expect(out).toMatch(/version 1 {2}CommentAdded: applied\n/);
});

it('takes no comment for a board that is deleted, but gives a repeat of an earlier request its first answer', async () => {
  const { id } = await postBoard(stack, { title: 'soon gone', content: '' });
  const key = randomUUID();
  const first = await post('in time', id, key);
  expect(first.status).toBe(201);
  expect((await fetch(`${stack.orderServiceUrl}/boards/${id}`, { method: 'DELETE' })).status).toBe(
    204,
  );
  expect((await post('too late', id)).status).toBe(410);
  expect((await post('nowhere', randomUUID())).status).toBe(404);
  const repeated = await post('in time', id, key);
  expect([repeated.status, repeated.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
  expect(await repeated.text()).toBe(await first.text());
});

it('keeps what comment-service cannot apply as dead letters, and what follows parked; a replay applies both in order', async () => {
  const before = await read();
  await refusing('refuse me', async (allow) => {
    const refused = await add('refuse me');
    await remove(refused);
    const fine = await add('셋째');
    await waitUntil('the other comment', async () => (await read()).texts.includes('셋째'));
    await deadLettered(refused);
    const audited = await run('audit');
    expect(audited.out).toMatch(/consumer comments[^]*behind a dead letter +1\n/);
    const alarms = await fetch(`${url}/alarms`);
    expect([alarms.status, await alarms.text()]).toEqual([
      503,
      expect.stringContaining('npm run dlq -- list --consumer comments'),
    ]);

    await allow();
    expect((await run('dlq', 'replay', '--aggregate', refused, ...ofComments)).exitCode).toBe(0);
    await appliedBoth(refused);
    expect(await read()).toEqual({ count: before.count + 1, texts: [...before.texts, '셋째'] });
    await waitUntil('no alarm', async () => (await fetch(`${url}/alarms`)).status === 200);
    expect((await run('trace', fine)).out).toContain('version 1  CommentAdded: applied');
  });
});

it('does not count down for a comment whose first event was skipped by hand', async () => {
  const before = await read();
  await refusing('never there', async () => {
    const skipped = await add('never there');
    await deadLettered(skipped);
    expect(
      (await run('dlq', 'skip', skipped, '1', '--reason', 'test', '--yes', ...ofComments)).exitCode,
    ).toBe(0);
    await remove(skipped);
    await appliedBoth(skipped);
    expect(await read()).toEqual(before);
  });
});

it('pages through the comments of a board, each once; refuses a removal at another version', async () => {
  const seen: string[] = [];
  for (let after = ''; ;) {
    const answer = await fetch(`${url}/boards/${boardId}/comments?limit=1${after}`);
    const page = (await answer.json()) as { comments: { text: string }[]; next: string | null };
    seen.push(...page.comments.map(({ text }) => text));
    if (page.next === null) break;
    after = `&after=${page.next}`;
  }
  expect(seen).toEqual((await read()).texts);
  expect(seen.length).toBeGreaterThan(1);
  const id = await add('kept');
  const stale = await fetch(`${stack.orderServiceUrl}/comments/${id}`, {
    method: 'DELETE',
    headers: { 'If-Match': '"7"' },
  });
  expect([stale.status, stale.headers.get('etag')]).toEqual([412, '"1"']);
});

it('is audited: every comment of order-service was applied', async () => {
  const { exitCode, out } = await run('audit');
  const ofConsumer = out.slice(out.indexOf('consumer comments'));
  expect([exitCode, ofConsumer]).toEqual([0, expect.stringMatching(/^LOST +0$/m)]);
  expect(ofConsumer).toMatch(/^in step +[1-9]/m);
});

it('counts what it shows', async () => {
  const { count, texts } = await read();
  expect(texts).toHaveLength(count);
});
