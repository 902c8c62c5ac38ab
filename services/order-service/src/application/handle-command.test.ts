import type { Command, Outcome } from '@board/outbox';
import { expect, test } from 'vitest';
import type { Board } from '../domain/board.ts';
import { boardCommands, type BoardCommand } from './board-commands.ts';
import type { CommandContext, Refusal } from './ports.ts';
import { handleCommand, type EventToEncode } from './handle-command.ts';

const now = new Date('2026-01-02T03:04:05.678Z');
const create: BoardCommand = { kind: 'create', title: 'Title', content: '', author: null };
const context: CommandContext<Board> = {
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  answer: ({ title }) => ({ status: 201, headers: {}, body: title }),
};

async function handle(
  command: BoardCommand,
  given: Partial<CommandContext<Board>> = {},
  answer?: () => Promise<Outcome<Board, Refusal>>,
) {
  const orders: Command<Board, Refusal>[] = [];
  let ids = 0;
  const commits = {
    async commit(order: Command<Board, Refusal>): Promise<Outcome<Board, Refusal>> {
      orders.push(order);
      if (answer) return await answer();
      const decision = order.decide(undefined);
      return decision.kind === 'refuse'
        ? { kind: 'refused', refusal: decision.refusal }
        : { kind: 'committed', state: decision.state, answer: decision.answer };
    },
  };
  const encode = (event: EventToEncode) => Buffer.from(JSON.stringify(event));
  const handler = handleCommand(boardCommands, {
    commits,
    encode,
    now: () => now,
    newId: () => `id-${(ids += 1)}`,
  });
  return { result: await handler(command, { ...context, ...given }), orders };
}

test('a second decision makes the same board and event, with the ids and time of acceptance', async () => {
  const { result, orders } = await handle(create);
  expect(result).toMatchObject({
    kind: 'done',
    committed: {
      aggregateType: 'board',
      aggregateId: 'id-1',
      version: 1,
      eventId: 'id-2',
      eventType: 'BoardCreated',
    },
  });
  expect(result).toMatchObject({ answer: { status: 201, body: 'Title' } });
  expect(orders[0]?.decide(undefined)).toEqual(orders[0]?.decide(undefined));
});

test('the partition key is the author, or the board id without an author', async () => {
  const keyFor = async (author: string | null) => {
    const { orders } = await handle({ ...create, author });
    const decision = orders[0]?.decide(undefined);
    return decision?.kind === 'change' && decision.event.partitionKey;
  };
  expect([await keyFor('Kim'), await keyFor(null)]).toEqual(['Kim', 'id-1']);
});

test.each([undefined, 'k'])('the answer is made once, with the key %s', async (idempotencyKey) => {
  const made: number[] = [];
  const answer: CommandContext<Board>['answer'] = ({ title, version }) => {
    made.push(version);
    return { status: 201, headers: { ETag: `"${version}"` }, body: `${title} ${made.length}` };
  };
  const { result } = await handle(create, { idempotencyKey, answer });
  expect(result).toMatchObject({
    kind: 'done',
    answer: { status: 201, headers: { ETag: '"1"' }, body: 'Title 1' },
  });
  expect(made).toEqual([1]);
});

test('a repeat gets the kept answer, even if this version would answer otherwise', async () => {
  const kept = { status: 200, headers: { ETag: '"7"' }, body: 'as it was' };
  const repeated = async () =>
    ({ kind: 'repeated', answer: Buffer.from(JSON.stringify(kept)) }) as const;
  expect((await handle(create, { idempotencyKey: 'k' }, repeated)).result).toEqual({
    kind: 'repeated',
    answer: kept,
  });
});

test.each<[BoardCommand, string]>([
  [{ ...create, title: '' }, 'title'],
  [{ ...create, author: 'x'.repeat(101) }, 'author'],
  [{ kind: 'edit', boardId: 'b', title: '' }, 'title'],
  [{ kind: 'edit', boardId: 'b', content: '\0' }, 'content'],
])('%o breaks a rule and is refused before the database is used', async (command, field) => {
  const { result, orders } = await handle(command);
  expect(result).toMatchObject({
    kind: 'refused',
    refusal: { kind: 'invalid', violations: [{ field }] },
  });
  expect(orders).toEqual([]);
});

test('a failed commit fails the command', async () => {
  const down = new Error('down');
  await expect(handle(create, {}, () => Promise.reject(down))).rejects.toBe(down);
});

async function fingerprintOf(command: BoardCommand, idempotencyKey = 'k') {
  const { orders } = await handle(command, { idempotencyKey }, async () => ({
    kind: 'key-running',
  }));
  const { hash, fingerprint } = orders[0]?.key ?? {};
  return { hash: hash?.toString('hex'), fingerprint: fingerprint?.toString('hex') };
}

test('a key has the same fingerprint for the same command only', async () => {
  const edit: BoardCommand = { kind: 'edit', boardId: 'b', title: 'x' };
  const commands: BoardCommand[] = [
    create,
    { ...create, title: 'other' },
    { ...create, author: 'x' },
    edit,
    { ...edit, boardId: 'c' },
    { ...edit, ifVersions: [1] },
    { kind: 'edit', boardId: 'b', content: 'x' },
    { kind: 'delete', boardId: 'b' },
    { kind: 'delete', boardId: 'b', ifVersions: [] },
  ];
  const all = await Promise.all(commands.map((command) => fingerprintOf(command)));
  expect(new Set(all.map(({ fingerprint }) => fingerprint)).size).toBe(commands.length);
  expect(new Set(all.map(({ hash }) => hash)).size).toBe(1);
  const again = await fingerprintOf({ author: null, content: '', title: 'Title', kind: 'create' });
  expect(again).toEqual(all[0]);
  expect((await fingerprintOf(create, 'K')).hash).not.toBe(all[0]?.hash);
});

test.each<[string, BoardCommand, string]>([
  ['create', create, 'f18cc1a947f353eb'],
  [
    'edit',
    { kind: 'edit', boardId: 'b', title: 'x', content: undefined, ifVersions: [1, 2] },
    '51fea05a04b4d2c5',
  ],
  ['delete', { kind: 'delete', boardId: 'b' }, '85089102a2c92173'],
])(
  '%s keeps the fingerprint of earlier versions, which a repeat may meet',
  async (_, command, begin) => {
    expect((await fingerprintOf(command)).fingerprint?.slice(0, 16)).toBe(begin);
  },
);
