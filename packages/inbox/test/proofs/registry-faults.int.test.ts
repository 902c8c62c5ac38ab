import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { waitUntil } from '@board/test';
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import type { InboxSettings } from '../../src/settings.ts';
import { openInboxLab, type InboxLab, type RunningInbox } from '../support/inbox-lab.ts';
import { registerSchema, thingSchema, type ThingRecord } from '../support/thing-codec.ts';
import { appliedVersions, thingLogHandler } from '../support/thing-log.ts';

// One lab for the file: each test has ids of its own, its own instance of the consumer, and a proxy
// before the real registry.
let lab: InboxLab;
let number = 0;
beforeAll(async () => {
  lab = await openInboxLab(inject('stack'));
});
afterAll(() => lab.close());

type Answer = (response: ServerResponse) => void;

const json = (status: number, code: number): Answer => {
  return (response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error_code: code, message: 'planted' }));
};
const unknownId = json(404, 40403);

/**
 * Everything that has been seen instead of the registry's answer; none of them says anything about
 * a schema.
 */
const faults: Readonly<Record<string, Answer>> = {
  'an error of the server': json(500, 50001),
  'a busy server': json(503, 50003),
  'a connection that is reset': (response) => response.socket?.resetAndDestroy(),
  'a page of a proxy': (response) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>'),
  'the 404 of a proxy': (response) =>
    void response.writeHead(404, { 'content-type': 'text/html' }).end('not found'),
  'the 404 of another path': json(404, 404),
  'an unknown subject': json(404, 40401),
  'half a body': (response) => {
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-length': 500 })
      .write('{"schema":"{\\"type');
    setTimeout(() => response.socket?.destroy(), 20);
  },
  'half a body that looks whole': (response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end('{"schema":"{\\"type'),
  'an empty body': (response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(),
  'JSON that is no schema': (response) =>
    void response
      .writeHead(200, { 'content-type': 'application/json' })
      .end('{"status":"starting"}'),
};

/**
 * The registry behind a proxy that answers in its place as the test says; undefined passes the
 * request on.
 */
async function startFlakyRegistry(answer: (path: string) => Answer | undefined) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const planted = answer(path);
    if (planted) return planted(response);
    void fetch(lab.stack.registryUrl + path).then(async (real) => {
      response.writeHead(real.status, { 'content-type': 'application/json' });
      response.end(await real.text());
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, asked, close: () => void server.close() };
}

const idsOf = (records: readonly ThingRecord[]): string[] =>
  records.map(({ headers }) => headers['aggregateId'] ?? '');
const applied = async (records: readonly ThingRecord[]): Promise<number> => {
  const versions = await appliedVersions(lab.schema.root);
  return idsOf(records).filter((id) => versions.has(id)).length;
};
const deadLetters = (records: readonly ThingRecord[]) =>
  lab.rows<{ aggregateid: string; error_message: string }>(
    'SELECT aggregateid, error_message FROM dead_letter WHERE aggregateid IN (?) AND closed_at IS NULL',
    [idsOf(records)],
  );
const alarmOf = ({ health }: RunningInbox): string =>
  health.alarms.active().get('schemas')?.reason ?? '';

/** Things of one partition, under ids that no other test uses. */
function things(count: number, schemaId = lab.schemaId): ThingRecord[] {
  number += 1;
  return Array.from({ length: count }, (_, index) => {
    const record = lab.thing(`t${number}-${index}`, 1);
    const value = Buffer.from(record.value as Buffer);
    value.writeInt32BE(schemaId, 1);
    return { ...record, value, partition: 0 };
  });
}

const running: { stop(): Promise<void> | void }[] = [];
async function start(
  registryUrl: string,
  settings: Partial<InboxSettings> = {},
): Promise<RunningInbox> {
  const inbox = await lab.start(thingLogHandler({ batch: true }), { registryUrl, settings });
  running.push(inbox);
  return inbox;
}
/** What a new process would find: without the memory, as before the first event. */
const forget = () => lab.rows('DELETE FROM known_schema');
afterEach(async () => {
  while (running.length > 0) await running.pop()?.stop();
  await lab.caughtUp();
});

const notItsOwn = ['the 404 of a proxy', 'the 404 of another path', 'an unknown subject'];

it.each<[string, number, Answer | undefined]>([
  ...Object.entries(faults).map(([name, fault]): [string, number, Answer] => [name, 1, fault]),
  ...notItsOwn.map((name): [string, number, Answer | undefined] => [name, 8, faults[name]]),
  // One question is two requests: the second one asks the registry past the client.
  ['an unknown id', 2, unknownId],
])('%s in the place of %i answers makes no dead letter', async (_, times, fault) => {
  await forget();
  let asked = 0;
  const registry = await startFlakyRegistry(() => ((asked += 1) <= times ? fault : undefined));
  running.push({ stop: registry.close });
  await start(registry.url, times === 8 ? { maxWaitMs: 50, unknownSchemaMs: 1 } : {});
  // Too few aggregates to blame the registry: only its answers decide.
  const records = things(5);
  await lab.produce(records);
  await waitUntil('all are applied', async () => (await applied(records)) === records.length);
  expect(asked).toBeGreaterThan(times);
  expect(await deadLetters(records)).toEqual([]);
});

it(
  'no order of answers of a flaky registry dead-letters an event whose schema it has',
  { timeout: 60_000 },
  async () => {
    await forget();
    const kinds = [...Object.values(faults), unknownId];
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
    let state = seed;
    const random = (below: number): number =>
      (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) % below;
    let left = 15;
    // Between two "unknown" there is always something else: a registry that says it for seconds on
    // end is believed.
    let last: Answer | undefined;
    const registry = await startFlakyRegistry((path) => {
      if (!path.startsWith('/schemas/') || (left -= 1) < 0) return undefined;
      const fits = kinds.filter((kind) => kind !== unknownId || last !== unknownId);
      return (last = fits[random(fits.length)]);
    });
    running.push({ stop: registry.close });
    await start(registry.url, { maxWaitMs: 50, unknownSchemaMs: 1 });
    const records = things(5);
    await lab.produce(records);
    await waitUntil(
      `all are applied (SEED=${seed})`,
      async () => (await applied(records)) === records.length,
    );
    expect(await deadLetters(records)).toEqual([]);
  },
);

it('an event is dead-lettered whose id the registry does not know for a while, and the others are applied', async () => {
  const registry = await startFlakyRegistry(() => undefined);
  running.push({ stop: registry.close });
  await start(registry.url);
  const [good, poison] = [things(20), things(1, 2 ** 31 - 1)];
  await lab.produce([...poison, ...good]);
  await waitUntil('all are applied', async () => (await applied(good)) === good.length);
  await waitUntil('its dead letter', async () => (await deadLetters(poison)).length === 1);
  expect(await deadLetters(poison)).toMatchObject([
    { error_message: expect.stringContaining('is not known') },
  ]);
  expect(registry.asked.filter((path) => path.endsWith(`/${2 ** 31 - 1}`)).length).toBeGreaterThan(
    1,
  );
});

it('a schema that was received whole and is not of the type dead-letters its event', async () => {
  const other = JSON.stringify({
    type: 'record',
    name: 'Other',
    namespace: 'test.things',
    fields: [],
  });
  const otherId = await registerSchema(lab.stack.registryUrl, `${lab.topic}-other`, other);
  await start(lab.stack.registryUrl);
  const [good, poison] = [things(5), things(1, otherId)];
  await lab.produce([...poison, ...good]);
  await waitUntil('all are applied', async () => (await applied(good)) === good.length);
  await waitUntil('its dead letter', async () => (await deadLetters(poison)).length === 1);
  expect(await deadLetters(poison)).toMatchObject([
    { error_message: expect.stringContaining('does not resolve') },
  ]);
});

it('a registry without any of our subjects holds the events until it has them again', async () => {
  await forget();
  let isEmpty = true;
  const registry = await startFlakyRegistry((path) => {
    if (!isEmpty) return undefined;
    return path.startsWith('/subjects/') ? json(404, 40401) : unknownId;
  });
  running.push({ stop: registry.close });
  const inbox = await start(registry.url);
  const records = things(5);
  await lab.produce(records);
  await waitUntil('the alarm', () => alarmOf(inbox).includes('knows none of our subjects'));
  expect(alarmOf(inbox)).toContain(`schema id ${lab.schemaId} of ThingChanged`);
  isEmpty = false;
  await waitUntil('all are applied', async () => (await applied(records)) === records.length);
  expect(await deadLetters(records)).toEqual([]);
  expect(alarmOf(inbox)).toBe('');
});

it('an unknown id on events of ten aggregates is held, and the alarm names what was dead-lettered before', async () => {
  await forget();
  const lostId = 2 ** 31 - 2;
  let isKnown = false;
  // The registry has our subject and the ids that are remembered: only the number decides.
  const registry = await startFlakyRegistry((path) => {
    if (!path.endsWith(`/${lostId}`)) return undefined;
    return isKnown
      ? (response) =>
          void response
            .writeHead(200, { 'content-type': 'application/json' })
            .end(JSON.stringify({ schema: thingSchema }))
      : unknownId;
  });
  running.push({ stop: registry.close });
  const inbox = await start(registry.url);
  const [first, crowd] = [things(9, lostId), things(10, lostId)];
  await lab.produce(first);
  await waitUntil(
    'the dead letters of too few aggregates',
    async () => (await deadLetters(first)).length === first.length,
  );
  await lab.produce(crowd);
  await waitUntil('the alarm', () => alarmOf(inbox).includes('aggregates have events with it'));
  expect(alarmOf(inbox)).toContain('dead-lettered before this was clear: 9 (');
  expect(alarmOf(inbox)).toContain(`replay --error "schema id ${lostId} of ThingChanged "`);
  isKnown = true;
  await waitUntil('all are applied', async () => (await applied(crowd)) === crowd.length);
  expect(await deadLetters(crowd)).toEqual([]);
});

it('an unknown id on many aggregates dead-letters their events while another event of the type decodes', async () => {
  await forget();
  await start(lab.stack.registryUrl);
  const [good, poison] = [things(1), things(15, 2 ** 31 - 3)];
  await lab.produce([...poison, ...good]);
  await waitUntil('the good one is applied', async () => (await applied(good)) === 1);
  await waitUntil(
    'all dead letters',
    async () => (await deadLetters(poison)).length === poison.length,
  );
});

it('an id that changed its schema pauses, with both fingerprints, and goes on when it is as before', async () => {
  const other = JSON.stringify({
    type: 'record',
    name: 'Other',
    namespace: 'test.things',
    fields: [],
  });
  await start(lab.stack.registryUrl);
  const before = things(1);
  await lab.produce(before);
  await waitUntil('the id is resolved', async () => (await applied(before)) === 1);
  await running.pop()?.stop();

  let isChanged = true;
  const registry = await startFlakyRegistry((path) =>
    isChanged && path.endsWith(`/schemas/ids/${lab.schemaId}`)
      ? (response) =>
          void response
            .writeHead(200, { 'content-type': 'application/json' })
            .end(JSON.stringify({ schema: other }))
      : undefined,
  );
  running.push({ stop: registry.close });
  const inbox = await start(registry.url, { schemaCheckEveryMs: 100 });
  const records = things(5);
  await lab.produce(records);
  await waitUntil('the alarm', () => alarmOf(inbox) !== '');
  const [row] = await lab.rows<{ fingerprint: string }>('SELECT fingerprint FROM known_schema');
  expect(alarmOf(inbox)).toContain(`schema id ${lab.schemaId} of ThingChanged has changed`);
  expect(alarmOf(inbox)).toMatch(
    new RegExp(`was ${row?.fingerprint}.*test.things.Other, fingerprint [0-9a-f]{64}`),
  );
  isChanged = false;
  await waitUntil('all are applied', async () => (await applied(records)) === records.length);
  await waitUntil('the alarm is gone', () => alarmOf(inbox) === '');

  // While it runs: the next check notices it, and what comes then waits.
  isChanged = true;
  await waitUntil('the alarm', () => alarmOf(inbox) !== '');
  const late = things(5);
  await lab.produce(late);
  await waitUntil('they wait', () =>
    [...inbox.health.alarms.active().keys()].some((key) => key.startsWith('waiting')),
  );
  isChanged = false;
  await waitUntil('all are applied', async () => (await applied(late)) === late.length);
  expect(await deadLetters([...records, ...late])).toEqual([]);
});

it('an id that the registry has lost pauses a new process; one that knew it goes on, with an alarm', async () => {
  let isLost = false;
  const registry = await startFlakyRegistry((path) =>
    isLost && path.startsWith('/schemas/') ? unknownId : undefined,
  );
  running.push({ stop: registry.close });
  const warm = await start(registry.url, { schemaCheckEveryMs: 100 });
  const before = things(1);
  await lab.produce(before);
  await waitUntil('the id is resolved', async () => (await applied(before)) === 1);
  isLost = true;
  await waitUntil('the alarm', () => alarmOf(warm).includes('is no longer known'));
  const between = things(5);
  await lab.produce(between);
  await waitUntil('all are applied', async () => (await applied(between)) === between.length);
  await running.pop()?.stop();

  const cold = await start(registry.url);
  const records = things(5);
  await lab.produce(records);
  await waitUntil('the alarm', () => alarmOf(cold).includes('is no longer known'));
  expect(await applied(records)).toBe(0);
  isLost = false;
  await waitUntil('all are applied', async () => (await applied(records)) === records.length);
  expect(await deadLetters(records)).toEqual([]);
});

it('a new process uses what it remembers while the registry is away, and asks no more once it knows', async () => {
  let isAway = true;
  const registry = await startFlakyRegistry(() => (isAway ? json(503, 50003) : undefined));
  running.push({ stop: registry.close });
  const inbox = await start(registry.url, { schemaCheckEveryMs: 100 });
  const records = things(5);
  await lab.produce(records);
  await waitUntil('all are applied', async () => (await applied(records)) === records.length);
  expect(alarmOf(inbox)).toBe('');
  isAway = false;
  const asked = registry.asked.length;
  await waitUntil('the request after it came back', () => registry.asked.length > asked);
  expect(alarmOf(inbox)).toBe('');
});
