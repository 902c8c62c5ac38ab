import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { boardTopic, catalogConsumer } from '@board/contracts';
import { openConnection, type DriverConnection, type RowDataPacket } from '@board/mysql';
import { openAdmin } from '@board/kafka';
import { startStack, type RunningStack } from '@board/stack';
import {
  addressesOf,
  postBoard,
  readTopic,
  waitUntil,
  type PostedBoard,
  type StackAddresses,
} from '@board/test';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

// One sequence, on an older cluster of its own: each test goes on where the one before
// stopped.
const instance = 'zookeeper-e2e';
const progress: string[] = [];
const posted: PostedBoard[] = [];
let stack: RunningStack;
let addresses: StackAddresses;
let database: DriverConnection;

const start = (cluster: 'kraft' | 'zookeeper', fresh: boolean): Promise<RunningStack> =>
  startStack({
    instance,
    cluster,
    fresh,
    portOffset: 'auto',
    onProgress: (line) => progress.push(line),
  });

beforeAll(async () => {
  // A single start is quicker than making the caches first.
  vi.stubEnv('STACK_AOT', '0');
  stack = await start('zookeeper', true);
  addresses = addressesOf({ ...stack, state: stack.state() });
  const { host, port, rootPassword: password } = addresses.mysql;
  database = await openConnection({
    host,
    port,
    user: 'root',
    password,
    timezone: 'Z',
    charset: 'utf8mb4',
  });
}, 300_000);
afterAll(async () => {
  await database?.end();
  await stack?.stop();
}, 120_000);

async function post(count: number, title: string): Promise<void> {
  for (let n = 1; n <= count; n += 1) {
    posted.push(
      await postBoard(addresses, {
        title: `${title} ${n}`,
        content: '글이 흐른다 🧵',
        author: `작가 ${n % 7}`,
      }),
    );
  }
}

/** Every board posted so far: in the catalog, equal, applied once, and its record in the topic. */
async function expectAllApplied(): Promise<void> {
  const ids = posted.map(({ id }) => id);
  const boards = async (table: 'order_service.board' | 'catalog_service.catalog') =>
    (
      await database.query<RowDataPacket[]>(
        `SELECT id, version, title, content, author, created_at, updated_at FROM ${table} WHERE id IN (?) ORDER BY id`,
        [ids],
      )
    )[0];
  await waitUntil(
    'every board applied',
    async () => (await boards('catalog_service.catalog')).length === ids.length,
    {
      timeoutMs: 60_000,
    },
  );
  expect(await boards('catalog_service.catalog')).toEqual(await boards('order_service.board'));
  const [counts] = await database.query(
    'SELECT DISTINCT applied_count FROM catalog_service.catalog',
  );
  expect(counts).toEqual([{ applied_count: 1 }]);
  const records = await readTopic(addresses.brokers, boardTopic.name);
  expect(new Set(records.map(({ headers }) => headers['aggregateId']))).toEqual(new Set(ids));
}

function run(
  command: 'ops/commands/audit' | 'ops/commands/dlq',
  ...args: string[]
): Promise<{ exitCode: number; output: string }> {
  return new Promise((done) => {
    const file = resolve(import.meta.dirname, `../../${command}.ts`);
    const child = execFile(
      process.execPath,
      [file, ...args, '--instance', instance],
      (_error, out, err) => done({ exitCode: child.exitCode ?? -1, output: out + err }),
    );
  });
}

const pidOf = (name: string) => stack.state().processes.find((one) => one.name === name)?.pid;

/** Resolves as soon as the launcher has started the server again. */
async function kill(name: string): Promise<void> {
  const pid = pidOf(name);
  if (pid === undefined) throw new Error(`${name} does not run`);
  process.kill(pid, 'SIGKILL');
  await waitUntil(`${name} started again`, () => ![pid, undefined].includes(pidOf(name)));
}

it('has `board` with three partitions and three copies on brokers that ZooKeeper knows', async () => {
  expect(stack.state().processes.map(({ name }) => name)).toContain('zookeeper');
  const admin = await openAdmin(addresses);
  const { topics } = await admin.fetchTopicMetadata({ topics: [boardTopic.name] });
  await admin.disconnect();
  expect(
    topics[0]?.partitions.map(({ replicas, isr }) => [replicas.toSorted(), isr.toSorted()]),
  ).toEqual(
    Array.from({ length: 3 }, () => [
      [1, 2, 3],
      [1, 2, 3],
    ]),
  );
});

it('brings posted boards through the topic to the catalog, applied once', async () => {
  await post(100, 'first');
  await expectAllApplied();
});

it('retries what the catalog refuses, makes it a dead letter at last, and applies it when it is replayed', async () => {
  await database.query(
    `CREATE TRIGGER catalog_service.refuse BEFORE INSERT ON catalog_service.catalog FOR EACH ROW
     IF NEW.title LIKE 'refused%' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'refused by the test'; END IF`,
  );
  await post(1, 'refused');
  await post(10, 'beside it');
  const refused = posted.find(({ title }) => title.startsWith('refused'))?.id;
  const deadLetters = async () => (await run('ops/commands/dlq', 'list', '--json')).output;
  await waitUntil('a dead letter', async () => (await deadLetters()).includes(refused ?? ''), {
    everyMs: 500,
  });
  for (const tier of [1, 2, 3]) {
    const retried = await readTopic(addresses.brokers, `${catalogConsumer.group}.retry.${tier}`);
    expect(retried.map(({ headers }) => headers['aggregateId'])).toEqual([refused]);
  }
  await database.query('DROP TRIGGER catalog_service.refuse');
  expect(await run('ops/commands/dlq', 'replay', '--all')).toMatchObject({ exitCode: 0 });
  await expectAllApplied();
});

it('loses nothing when a broker, then ZooKeeper is killed under traffic; both come back by themselves', async () => {
  const postingFirst = post(100, 'while a broker dies');
  await kill('kafka-2');
  await postingFirst;
  const postingThen = post(100, 'while ZooKeeper dies');
  await kill('zookeeper');
  await postingThen;
  await expectAllApplied();
  expect(await run('ops/commands/audit')).toMatchObject({ exitCode: 0 });
});

it('stops ZooKeeper after its brokers, and never starts KRaft on this data', async () => {
  await stack.stop();
  const stopped = progress.flatMap((line) => /^(kafka-\d|zookeeper) stopped/.exec(line)?.[1] ?? []);
  expect(stopped.slice(0, 3).toSorted()).toEqual(['kafka-1', 'kafka-2', 'kafka-3']);
  expect(stopped.slice(3)).toEqual(['zookeeper']);
  await expect(start('kraft', false)).rejects.toThrow('holds the data of a ZooKeeper cluster');
});
