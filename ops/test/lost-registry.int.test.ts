import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventSchemas } from '@board/contracts';
import { runMigrations } from '@board/mysql';
import {
  compileCache,
  createTestSchema,
  databaseEnvironment,
  spawnService,
  waitUntil,
  type TestSchema,
} from '@board/test';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import {
  openInboxLab,
  type InboxLab,
  type RunningInbox,
} from '../../packages/inbox/test/support/inbox-lab.ts';
import {
  registerSchema,
  thingSchema,
  type ThingRecord,
} from '../../packages/inbox/test/support/thing-codec.ts';
import { appliedVersions, thingLogHandler } from '../../packages/inbox/test/support/thing-log.ts';
import { migrations } from '../../services/order-service/src/database/migrations.ts';
import { registerSchemas } from '../../provision/schemas.ts';
import { startOwnRegistry, type OwnRegistry } from '../../stack/test/support/start-own-registry.ts';

// One story in order: a registry of its own loses its database in mid-life and gets its schemas
// back under other ids.
const otherSchema = JSON.stringify({
  type: 'record',
  name: 'Other',
  namespace: 'test.things',
  fields: [],
});
let registry: OwnRegistry;
let lab: InboxLab;
let orders: TestSchema;
let folder: string;
const closers: (() => Promise<unknown> | void)[] = [];

beforeAll(async () => {
  [registry, lab, orders] = await Promise.all([
    startOwnRegistry(inject('stack').mysql),
    openInboxLab(inject('stack')),
    createTestSchema(inject('stack')),
  ]);
  folder = await mkdtemp(join(tmpdir(), 'lost-registry-'));
  closers.push(registry.stop, lab.close, orders.drop, () => rm(folder, { recursive: true }));
  await runMigrations(orders.connection, migrations);
}, 120_000);
afterAll(async () => {
  for (let close = closers.pop(); close; close = closers.pop()) await close();
}, 60_000);

/** Runs an operator's command without a terminal. */
function run(
  program: 'inbox' | 'outbox',
  args: readonly string[],
): Promise<{ exitCode: number; out: string }> {
  const whose = program === 'inbox' ? ['--consumer', `${lab.group}/${lab.topic}/thing`] : [];
  const env = {
    ...compileCache,
    ...databaseEnvironment(program === 'inbox' ? lab.schema.connection : orders.connection),
    KAFKA_BROKERS: lab.stack.brokers.join(','),
    CONNECT_URL: lab.stack.connectUrl,
    REGISTRY_URL: registry.url,
  };
  return new Promise((resolve) => {
    const file = join(import.meta.dirname, `../commands/${program}.ts`);
    const child = execFile(
      process.execPath,
      [file, ...args, ...whose],
      { env },
      (_error, out, err) => resolve({ exitCode: child.exitCode ?? -1, out: out + err }),
    );
  });
}

let nextThing = 0;
async function produceThings(count: number, schemaId: number): Promise<readonly ThingRecord[]> {
  const records = Array.from({ length: count }, () => {
    const record = lab.thing(`t${(nextThing += 1)}`, 1);
    const value = Buffer.from(record.value as Buffer);
    value.writeInt32BE(schemaId, 1);
    return { ...record, value };
  });
  await lab.produce(records);
  return records;
}
const startConsumer = (): Promise<RunningInbox> =>
  lab.start(thingLogHandler({ batch: true }), {
    registryUrl: registry.url,
    settings: { schemaCheckEveryMs: 300, maxWaitMs: 500 },
  });
const alarmOf = ({ health }: RunningInbox): string =>
  health.alarms.active().get('schemas')?.reason ?? '';
const appliedAll = async (count: number): Promise<boolean> =>
  (await appliedVersions(lab.schema.root)).size === count;

function startOrderService() {
  const service = spawnService(
    join(import.meta.dirname, '../../services/order-service/src/main.ts'),
    {
      ...databaseEnvironment(orders.connection),
      REGISTRY_URL: registry.url,
      SCHEMA_CHECK_MS: '300',
    },
  );
  closers.push(async () => {
    service.kill();
    await service.ended;
  });
  return service;
}
const post = (url: string): Promise<Response> =>
  fetch(`${url}/boards`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ title: 'a', content: '' }),
  });
const alarms = async (url: string): Promise<string> =>
  JSON.stringify(await (await fetch(`${url}/alarms`)).json());
async function lastSchemaId(): Promise<number | undefined> {
  const [rows] = await orders.root.query('SELECT payload FROM outbox ORDER BY seq DESC LIMIT 1');
  return (rows as { payload: Buffer }[])[0]?.payload.readInt32BE(1);
}

it(
  'a registry that lost its database causes no dead letter, and the recipe makes all events ' +
    'readable',
  { timeout: 240_000 },
  async () => {
    const thingId = await registerSchema(registry.url, lab.topic, thingSchema);
    await registerSchemas(registry.url);
    const first = await startConsumer();
    await produceThings(20, thingId);
    await waitUntil('the first are applied', () => appliedAll(20));
    await first.stop();
    await produceThings(20, thingId);
    const service = startOrderService();
    const url = await service.url();
    await service.until('service.ready');
    expect((await post(url)).status).toBe(201);
    const createdId = (await lastSchemaId()) ?? 0;
    await registry.loseDatabase();
    const consumer = await startConsumer();
    await waitUntil('the alarm of the consumer', () =>
      alarmOf(consumer).includes('is no longer known'),
    );
    expect(alarmOf(consumer)).toMatch(
      new RegExp(`schema id ${thingId} of ThingChanged .* fingerprint was [0-9a-f]{64}`),
    );
    await waitUntil('the alarm of order-service', async () =>
      (await alarms(url)).includes('does not know our schema'),
    );
    expect(await alarms(url)).toContain(
      `${createdId} (board-board.events.BoardCreated, fingerprint `,
    );
    // Its ids are still what they were to every consumer that knows them.
    expect((await post(url)).status).toBe(201);
    expect(await lastSchemaId()).toBe(createdId);

    // Back under other ids: the old id of things is another schema now, and two of the ids of
    // boards are exchanged.
    expect(await registerSchema(registry.url, `${lab.topic}-other`, otherSchema)).toBe(thingId);
    for (const { subject, schema } of eventSchemas.toReversed())
      await registerSchema(registry.url, subject, schema);
    const newId = await registerSchema(registry.url, lab.topic, thingSchema);
    expect(newId).not.toBe(thingId);
    await produceThings(20, newId);
    await waitUntil('the consumer sees it', () =>
      alarmOf(consumer).includes('now gives it the schema test.things.Other'),
    );
    await waitUntil('order-service pauses', async () => (await post(url)).status === 503);
    expect(await alarms(url)).toMatch(/schema id \d+ of [\w.-]+ has changed.*nothing is written/);
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    // A new process of it neither writes.
    const restarted = startOrderService();
    const restartedUrl = await restarted.url();
    await waitUntil('the new process says why', async () =>
      (await alarms(restartedUrl)).includes('has changed'),
    );
    expect((await post(restartedUrl)).status).toBe(503);
    restarted.kill();
    expect(await appliedAll(20)).toBe(true);

    const listed = await run('inbox', ['schemas']);
    expect(listed).toMatchObject({
      exitCode: 1,
      out: expect.stringMatching(/ThingChanged +1 +changed +registry/),
    });
    expect((await run('inbox', ['schemas', '--keep-stored'])).exitCode).toBe(2);
    expect(await run('inbox', ['schemas', '--keep-stored', '--yes'])).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining('1 schema kept'),
    });
    await waitUntil('all are applied', () => appliedAll(60));
    await waitUntil('the alarm is gone', () => alarmOf(consumer) === '');
    expect((await run('inbox', ['schemas', '--json'])).exitCode).toBe(0);

    expect(await run('outbox', ['schemas', '--forget', '--yes'])).toMatchObject({ exitCode: 0 });
    await waitUntil('order-service writes again', async () => (await post(url)).status === 201);
    expect(await lastSchemaId()).not.toBe(createdId);
    await waitUntil('it is quiet', async () => (await fetch(`${url}/alarms`)).status === 200);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await lab.rows('SELECT letter FROM dead_letter')).toEqual([]);
    await consumer.stop();
  },
);

it(
  'an operator stores the schema of an id that neither registry nor consumer knows, or refuses it',
  { timeout: 240_000 },
  async () => {
    await startConsumer();
    const before = (await appliedVersions(lab.schema.root)).size;
    const file = join(folder, 'thing.avsc');
    await writeFile(file, thingSchema);
    expect((await run('inbox', ['schemas', '--store', file, '--yes'])).exitCode).toBe(2);
    const told = ['--type', 'ThingChanged', '--id', '1001', '--yes'];
    expect(await run('inbox', ['schemas', '--store', file, ...told])).toMatchObject({
      exitCode: 0,
    });
    await produceThings(12, 1_001);
    await waitUntil('they are applied', () => appliedAll(before + 12));

    const refused = ['--type', 'ThingChanged', '--id', '1002', '--yes'];
    expect(await run('inbox', ['schemas', '--refuse', ...refused])).toMatchObject({ exitCode: 0 });
    await produceThings(12, 1_002);
    const deadLetters = () =>
      lab.rows<{ error_message: string }>('SELECT error_message FROM dead_letter');
    await waitUntil('they are dead letters', async () => (await deadLetters()).length === 12);
    for (const { error_message: error } of await deadLetters())
      expect(error).toContain('refused by an operator');
  },
);
