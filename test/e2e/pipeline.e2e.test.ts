import { boardTopic, catalogConsumer } from '@board/contracts';
import { openConnection, type DriverConnection, type RowDataPacket } from '@board/mysql';
import { withAdmin } from '@board/kafka';
import { postBoard, readTopic, waitUntil, type PostedBoard } from '@board/test';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

const stack = inject('stack');
const boardCount = 1_000;
const clients = 50;

let database: DriverConnection;
const posted: PostedBoard[] = [];
/** The test stack may have carried boards before: only those of this run count. */
let createdBefore = 0;

const rows = async <Row>(sql: string, values: unknown[] = []): Promise<Row[]> =>
  (await database.query<RowDataPacket[]>(sql, values))[0] as unknown as Row[];

const createdToday = async (): Promise<number> => {
  const [today] = await rows<{ created: number }>(
    'SELECT created FROM catalog_service.created_per_day WHERE day = UTC_DATE()',
  );
  return today?.created ?? 0;
};

beforeAll(async () => {
  const { host, port } = stack.mysql;
  database = await openConnection({
    host,
    port,
    user: 'audit',
    password: stack.passwords.audit,
    timezone: 'Z',
    charset: 'utf8mb4',
  });
  createdBefore = await createdToday();
  const texts = [
    'plain',
    '글이 흐른다 — 가나다라',
    '📬🧵 emoji 👩‍👩‍👧‍👦',
    'quotes "\' \\ and \n lines',
    ' ',
  ];
  const numbers = Array.from({ length: boardCount }, (_, index) => index);
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (let n = numbers.pop(); n !== undefined; n = numbers.pop()) {
        const text = texts[n % texts.length] ?? '';
        const author = n % 3 === 0 ? { author: `writer-${n % 17} 작가` } : {};
        posted.push(
          await postBoard(stack, {
            title: `${n} ${text}`,
            content: text.repeat(n % 40),
            ...author,
          }),
        );
      }
    }),
  );
});
afterAll(() => database.end());

it('brings every posted board to the catalog, equal in every field, applied once', async () => {
  const ids = posted.map(({ id }) => id);
  const columns = 'id, version, title, content, author, created_at, updated_at, deleted_at';
  await waitUntil(
    'every board in the catalog',
    async () => {
      const [found] = await rows<{ n: number }>(
        'SELECT COUNT(*) AS n FROM catalog_service.catalog WHERE id IN (?)',
        [ids],
      );
      return Number(found?.n) === boardCount;
    },
    { timeoutMs: 60_000 },
  );
  const boards = await rows<object>(
    `SELECT ${columns} FROM order_service.board WHERE id IN (?) ORDER BY id`,
    [ids],
  );
  const catalog = await rows<object>(
    `SELECT ${columns} FROM catalog_service.catalog WHERE id IN (?) ORDER BY id`,
    [ids],
  );
  expect(boards).toHaveLength(boardCount);
  expect(catalog).toEqual(boards);
  expect(
    await rows(
      'SELECT applied_count, COUNT(*) AS boards FROM catalog_service.catalog WHERE id IN (?) GROUP BY applied_count',
      [ids],
    ),
  ).toEqual([{ applied_count: 1, boards: boardCount }]);
  expect((await createdToday()) - createdBefore).toBe(boardCount);
});

it('shows over HTTP what was posted', async () => {
  for (const board of posted.slice(0, 10)) {
    const answers = await Promise.all(
      stack.catalogUrls.map((url) =>
        fetch(`${url}/catalog/${board.id}`).then((response) => response.json()),
      ),
    );
    expect(answers).toEqual(stack.catalogUrls.map(() => ({ ...board, appliedCount: 1 })));
  }
});

it('ships every outbox row once, with its key and headers, over all partitions', async () => {
  const outbox = await rows<Record<string, unknown>>(
    `SELECT id, aggregateid, version, partition_key, type, payload, traceparent,
       CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', occurred_at) AS CHAR) AS occurredAt FROM order_service.outbox WHERE aggregateid IN (?)`,
    [posted.map(({ id }) => id)],
  );
  const byId = new Map(outbox.map((row) => [row['id'], row]));
  const ids = new Set<unknown>(outbox.map((row) => row['aggregateid']));
  const records = (await readTopic(stack.brokers, boardTopic.name)).filter(({ headers }) =>
    ids.has(headers['aggregateId']),
  );
  expect(records.map(({ headers }) => headers['id']).sort()).toEqual([...byId.keys()].sort());
  for (const { key, value, headers } of records) {
    const row = byId.get(headers['id']);
    expect({ key, value, headers }).toEqual({
      key: row?.['partition_key'],
      value: row?.['payload'],
      headers: {
        id: row?.['id'],
        aggregateId: row?.['aggregateid'],
        version: String(row?.['version']),
        eventType: row?.['type'],
        occurredAt: row?.['occurredAt'],
        traceparent: row?.['traceparent'] ?? undefined,
      },
    });
  }
  expect(new Set(records.map(({ partition }) => partition))).toEqual(new Set([0, 1, 2]));
});

it('shares the partitions between two consumers', async () => {
  const { groups } = await withAdmin(stack, (admin) =>
    admin.describeGroups([catalogConsumer.group]),
  );
  expect(groups[0]?.members.map(({ clientId }) => clientId).sort()).toEqual([
    'catalog-service-1',
    'catalog-service-2',
  ]);
});
