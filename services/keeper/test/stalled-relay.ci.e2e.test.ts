import { randomUUID } from 'node:crypto';
import { connectApi, registerConnector, type RunSql } from '@board/relay';
import { openSession } from '@board/mysql';
import { createHealth, createLogger } from '@board/service';
import { startTcpProxy, waitUntil } from '@board/test';
import { expect, inject, it, onTestFinished } from 'vitest';
import { stallSettings } from '../src/domain/decide-restart.ts';
import { openRelayLab } from './support/open-relay-lab.ts';
import { watchRelay } from '../src/application/watch-relay.ts';

const stack = inject('stack');
const connect = connectApi(stack.connectUrl);

it('the job restarts a connector that says RUNNING and reads nothing, but not a paused one', async () => {
  const lab = await openRelayLab(stack);
  onTestFinished(lab.close);
  // New connections lead past the dead link, open ones do not: only a connection made anew can
  // read.
  const link = await startTcpProxy(stack.mysql);
  onTestFinished(link.close);
  const way = await startTcpProxy(link);
  onTestFinished(way.close);
  const definition = {
    ...lab.outbox.definition,
    'database.hostname': way.host,
    'database.port': String(way.port),
    // Left to itself it would notice the dead link after a minute or two.
    'connect.keep.alive': 'false',
  };
  await registerConnector({ ...stack, definition });

  const { host, port, rootPassword: password } = stack.mysql;
  const session = await openSession({
    host,
    port,
    name: lab.outbox.database,
    user: 'root',
    password,
  });
  onTestFinished(() => session.close());
  const { alarms } = createHealth();
  let restarts = 0;
  const job = watchRelay({
    connect,
    connector: definition.name,
    memory: lab.memory,
    withSql: (work: (sql: RunSql) => Promise<unknown>) => work(session.query) as never,
    everyMs: 100,
    alarms,
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics: {
      observed: () => undefined,
      incidentOpened: () => undefined,
      restarted: () => (restarts += 1),
    },
    countShipped: async () => undefined,
    now: () => new Date(),
    elapsedMs: () => performance.now(),
    stall: { ...stallSettings, alarmAfterMs: 1_000, firstWaitMs: 4_000 },
  });
  const observeUntil = <Answer>(
    what: string,
    ask: () => Promise<Answer | false> | Answer | false,
  ) =>
    waitUntil(
      what,
      async () => {
        await job.run(new AbortController().signal);
        return ask();
      },
      { everyMs: 200, timeoutMs: 60_000 },
    );
  const insert = async (): Promise<string> => {
    const id = randomUUID();
    const row = {
      id,
      aggregateId: id,
      version: 1,
      key: id,
      type: 'BoardCreated',
      traceparent: null,
    };
    await lab.outbox.insert({
      ...row,
      payload: Buffer.from(id),
      occurredAt: '2026-01-02 03:04:05.678901',
    });
    return id;
  };
  await observeUntil(
    'a position',
    async () => ((await lab.memory.read())?.seen?.relayed ?? '') !== '',
  );

  // Paused, it stands still for as long as it is paused.
  await connect.pause(definition.name);
  await waitUntil(
    'paused',
    async () => (await connect.getStatus(definition.name))?.connector.state === 'PAUSED',
  );
  const pausedAt = performance.now();
  await observeUntil('the wait is over', () => performance.now() - pausedAt > 6_000);
  expect({ restarts, alarms: alarms.active().size }).toEqual({ restarts: 0, alarms: 0 });
  await connect.resume(definition.name);
  const first = await insert();
  await lab.outbox.readShipped((records) => records.some(({ headers }) => headers['id'] === first));

  way.redirect(stack.mysql);
  link.set({ kind: 'half-open', drop: 'both' });
  const stuck = await insert();
  await observeUntil('an alarm', () => alarms.active().has('relay stalled'));
  expect((await connect.getStatus(definition.name))?.tasks[0]?.state).toBe('RUNNING');
  await observeUntil('a restart', () => restarts > 0);
  await observeUntil('quiet', () => !alarms.active().has('relay stalled'));
  await lab.outbox.readShipped((records) => records.some(({ headers }) => headers['id'] === stuck));
}, 120_000);
