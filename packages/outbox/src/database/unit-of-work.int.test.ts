import { createDatabase } from '@board/database-kit';
import { setFailpoint, UnavailableError } from '@board/service-kit';
import { EntitySchema, type EntityManager } from 'typeorm';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createTestSchema, type TestSchema } from '@board/test';
import type { OutboxEvent } from '../outbox-event.ts';
import { createOutboxTable, outboxTable } from './outbox-table.ts';
import { createUnitOfWork } from './unit-of-work.ts';

interface Thing {
  readonly id: string;
  readonly version: number;
}

const thingTable = new EntitySchema<Thing>({
  name: 'Thing',
  tableName: 'thing',
  columns: { id: { type: 'char', length: 36, primary: true }, version: { type: 'int' } },
});

const id = '019b0000-0000-7000-8000-000000000001';
const thing: Thing = { id, version: 1 };
const outboxEvent: OutboxEvent = {
  id: '019b0000-0000-7000-8000-000000000002',
  aggregateType: 'thing',
  aggregateId: id,
  version: 1,
  partitionKey: '김철수 😀',
  type: 'ThingMade',
  payload: Buffer.from([0, 255, 1, 39, 92]),
  traceparent: null,
  occurredAt: new Date('2026-01-02T03:04:05.678Z'),
};

async function start(toEvent: (change: Thing) => OutboxEvent = () => outboxEvent) {
  const schema = await createTestSchema(inject('stack'));
  onTestFinished(schema.drop);
  await schema.root.query('CREATE TABLE thing (id CHAR(36) PRIMARY KEY, version INT NOT NULL)');
  await schema.root.query(createOutboxTable(['thing']));
  const database = createDatabase({ connection: schema.connection, entities: [thingTable, outboxTable] });
  await database.open();
  onTestFinished(() => database.close());
  let connectionId = '';
  const unitOfWork = createUnitOfWork<Thing>(database, {
    toEvent,
    async writeChanges(manager, changes) {
      [{ id: connectionId }] = await manager.query('SELECT CONNECTION_ID() AS id');
      await manager
        .createQueryBuilder()
        .insert()
        .into(thingTable)
        .values([...changes])
        .updateEntity(false)
        .execute();
    },
  });
  const killConnection = () => schema.root.query('KILL ?', [Number(connectionId)]);
  return { ...schema, database, unitOfWork, killConnection };
}

async function countRows(root: TestSchema['root']): Promise<unknown> {
  const [rows] = await root.query(
    'SELECT (SELECT COUNT(*) FROM thing) AS things, (SELECT COUNT(*) FROM outbox) AS events',
  );
  return (rows as unknown[])[0];
}

test('stores the change and its event, every byte and the time UNCHANGED', async () => {
  const { unitOfWork, root } = await start();
  await unitOfWork.commit(thing);
  const [rows] = await root.query('SELECT *, CAST(occurred_at AS CHAR) AS occurred_text FROM outbox');
  expect(rows).toMatchObject([
    {
      seq: 1,
      id: outboxEvent.id,
      aggregatetype: 'thing',
      aggregateid: id,
      version: 1,
      partition_key: '김철수 😀',
      type: 'ThingMade',
      payload: outboxEvent.payload,
      traceparent: null,
      occurred_text: '2026-01-02 03:04:05.678000',
    },
  ]);
  expect(await countRows(root)).toEqual({ things: 1, events: 1 });
});

test.each(['between-inserts', 'before-commit'])(
  'a connection killed %s leaves NEITHER row, and the next commit works',
  async (place) => {
    const { unitOfWork, root, killConnection } = await start();
    const undo = setFailpoint(place, killConnection);
    await expect(unitOfWork.commit(thing)).rejects.toThrow(UnavailableError);
    undo();
    expect(await countRows(root)).toEqual({ things: 0, events: 0 });
    await unitOfWork.commit(thing);
    expect(await countRows(root)).toEqual({ things: 1, events: 1 });
  },
);

test('an event that does NOT ENCODE is not stored, nor is its change', async () => {
  const { unitOfWork, root } = await start(() => {
    throw new TypeError('breaks its contract');
  });
  await expect(unitOfWork.commit(thing)).rejects.toThrow('breaks its contract');
  expect(await countRows(root)).toEqual({ things: 0, events: 0 });
});

test.each([
  ['of an unknown aggregate type', { aggregateType: 'other' }, 'outbox_aggregatetype'],
  ['of version 0', { version: 0 }, 'outbox_version_from_1'],
  ['with a payload over 512 KiB', { payload: Buffer.alloc(524_289) }, 'outbox_payload_size'],
])('an event %s is refused, nor is its change stored', async (_, change, constraint) => {
  const { unitOfWork, root } = await start(() => ({ ...outboxEvent, ...change }));
  await expect(unitOfWork.commit(thing)).rejects.toThrow(constraint);
  expect(await countRows(root)).toEqual({ things: 0, events: 0 });
});

test.each([
  ['the same VERSION of a thing', { id: '019b0000-0000-7000-8000-000000000003' }, 'outbox_version'],
  ['the same ID', { version: 2 }, 'outbox_id'],
])('two events with %s cannot be stored', async (_, change, key) => {
  const { unitOfWork, root } = await start(({ id: thingId }) =>
    thingId === id ? outboxEvent : { ...outboxEvent, ...change },
  );
  await unitOfWork.commit(thing);
  await expect(unitOfWork.commit({ ...thing, id: 'another' })).rejects.toThrow(key);
  expect(await countRows(root)).toEqual({ things: 1, events: 1 });
});

test('the transaction runs READ COMMITTED, whatever the session says', async () => {
  const { database, root } = await start();
  const count = (manager: EntityManager) => manager.query('SELECT COUNT(*) AS things FROM thing');
  const setSession = "SET SESSION transaction_isolation = 'REPEATABLE-READ'";
  await database.read((manager) => manager.query(setSession));
  const seen = await database.transaction(async (manager) => {
    const before: unknown = await count(manager);
    await root.query("INSERT INTO thing VALUES ('committed meanwhile', 1)");
    return [before, await count(manager), await manager.query('SELECT @@session.transaction_isolation AS session')];
  });
  expect(seen).toEqual([[{ things: '0' }], [{ things: '1' }], [{ session: 'REPEATABLE-READ' }]]);
});
