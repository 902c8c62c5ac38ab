import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { askDatabase, openConnection } from '@board/mysql';
import { askBrokers } from '@board/kafka';
import { askHttp, endWhenSilent, type NeededServer } from '@board/service';
import { compileCache, startTcpProxy, waitUntil, type TcpProxy } from '@board/test';
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from 'vitest';

const stack = inject('stack');
const { mysql, passwords } = stack;
const root = { host: mysql.host, port: mysql.port, user: 'root', password: mysql.rootPassword };
const checkout = join(import.meta.dirname, '../..');

/** Accepts every connection and never answers, like a server that was stopped with SIGSTOP. */
let silent: TcpProxy;
beforeAll(async () => {
  silent = await startTcpProxy(mysql);
  silent.set({ kind: 'half-open', drop: 'both' });
});
afterAll(() => silent.close());

const local = (port: number): string => `127.0.0.1:${port}`;

interface Ran {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs a command with some servers at other addresses; `onOutput` gets all output so far. */
async function run(
  [program = '', ...args]: readonly string[],
  user: 'audit' | 'purge' | 'catalog_service',
  moved: Readonly<Record<string, string>>,
  onOutput: (output: string) => void = () => undefined,
): Promise<Ran> {
  const child = spawn(process.execPath, [join(checkout, program), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...compileCache,
      DATABASE_HOST: mysql.host,
      DATABASE_PORT: String(mysql.port),
      DATABASE_NAME: user === 'purge' ? 'order_service' : 'catalog_service',
      DATABASE_USER: user,
      DATABASE_PASSWORD: passwords[user],
      KAFKA_BROKERS: stack.brokers.join(','),
      CONNECT_URL: stack.connectUrl,
      REGISTRY_URL: stack.registryUrl,
      SERVER_DEADLINE_MS: '2000',
      ...moved,
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => onOutput((output += text)));
  }
  const [exitCode] = (await once(child, 'close')) as [number];
  return { exitCode, output };
}

const audit = ['ops/commands/audit.ts'];
const trace = ['ops/commands/trace.ts', '0198c0de-0000-7000-8000-000000000001'];
const commands = [
  { command: audit, user: 'audit', servers: ['MySQL', 'Kafka', 'Connect'], exitCode: 2 },
  { command: trace, user: 'audit', servers: ['MySQL'], exitCode: 1 },
  {
    command: ['ops/commands/outbox.ts', 'status'],
    user: 'purge',
    servers: ['Kafka', 'Connect'],
    exitCode: 1,
  },
  {
    command: ['ops/commands/dlq.ts', 'list'],
    user: 'catalog_service',
    servers: ['MySQL'],
    exitCode: 1,
  },
  {
    command: ['ops/commands/inbox.ts', 'status'],
    user: 'catalog_service',
    servers: ['Kafka'],
    exitCode: 1,
  },
  {
    command: ['ops/commands/connector.ts', 'register'],
    user: 'purge',
    servers: ['Connect', 'Kafka'],
    exitCode: 1,
  },
] as const;

it.concurrent.each(
  commands.flatMap(({ servers, ...rest }) => servers.map((server) => ({ ...rest, server }))),
)(
  '$command ends and names $server when that accepts connections and never answers',
  async ({ command, user, server, exitCode }) => {
    const url = `http://${local(silent.port)}`;
    const moved: Record<string, string> = {
      MySQL: { DATABASE_PORT: String(silent.port) },
      Kafka: { KAFKA_BROKERS: local(silent.port) },
      Connect: { CONNECT_URL: url },
    }[server];
    const ran = await run(command, user, moved);
    expect(ran.output).toContain(local(silent.port));
    expect(ran.exitCode).toBe(exitCode);
  },
);

it('an audit ends, names MySQL and cannot tell when MySQL falls silent meanwhile', async () => {
  const proxy = await startTcpProxy(mysql);
  onTestFinished(proxy.close);
  const ran = await run(audit, 'audit', { DATABASE_PORT: String(proxy.port) }, (output) => {
    if (output.includes('waiting until the connector'))
      proxy.set({ kind: 'half-open', drop: 'both' });
  });
  expect(ran.output).toContain(
    `Cannot tell: MySQL at ${local(proxy.port)} has said nothing for 2 s`,
  );
  expect(ran.output).toContain('See what it does');
  expect(ran.exitCode).toBe(2);
});

/** Watches one server from within this process. */
function watch(ask: NeededServer['ask'], deadlineMs: number): string[] {
  const ends: string[] = [];
  const stop = endWhenSilent([{ name: 'it', ask }], (reason) => ends.push(reason), deadlineMs);
  onTestFinished(stop);
  return ends;
}

it('a server is not called silent during a long statement or after a refused login', async () => {
  const ends = [
    watch((signal) => askDatabase(root, signal), 1_000),
    watch((signal) => askDatabase({ ...root, password: 'wrong' }, signal), 1_000),
    watch((signal) => askDatabase({ ...root, port: 1 }, signal), 1_000),
    watch((signal) => askBrokers({ brokers: stack.brokers }, signal), 1_000),
    watch(
      (signal) => askBrokers({ brokers: [local(silent.port), ...stack.brokers] }, signal),
      1_000,
    ),
    watch((signal) => askHttp(stack.connectUrl, signal), 1_000),
    watch((signal) => askHttp(stack.registryUrl, signal), 1_000),
  ];
  const connection = await openConnection(root);
  onTestFinished(() => connection.end());
  await connection.query('SELECT SLEEP(3)');
  expect(ends.flat()).toEqual([]);
});

it.each<[string, NeededServer['ask']]>([
  ['MySQL', (signal) => askDatabase({ ...root, port: silent.port }, signal)],
  ['Kafka', (signal) => askBrokers({ brokers: [local(silent.port)] }, signal)],
  ['a secured Kafka', (signal) => askBrokers({ brokers: [local(silent.port)], ca: '' }, signal)],
  ['an HTTP server', (signal) => askHttp(`http://${local(silent.port)}`, signal)],
])(
  '%s that is silent is noticed at its deadline, and no connection is left',
  async (_name, ask) => {
    const before = silent.connections();
    const begin = Date.now();
    const ends = watch(ask, 400);
    await waitUntil('the silence is noticed', () => ends.length > 0);
    expect(Date.now() - begin).toBeGreaterThanOrEqual(390);
    expect(ends).toEqual([expect.stringContaining('it has said nothing for 0.4 s')]);
    await waitUntil('its connections are closed', () => silent.connections() <= before);
  },
);

it('a server that is silent for less than the deadline is not called silent', async () => {
  const proxy = await startTcpProxy(mysql);
  onTestFinished(proxy.close);
  const ends = watch((signal) => askDatabase({ ...root, port: proxy.port }, signal), 2_000);
  for (let round = 1; round <= 3; round += 1) {
    proxy.set({ kind: 'half-open', drop: 'both' });
    await delay(700);
    proxy.set({ kind: 'none' });
    await delay(700);
  }
  expect(ends).toEqual([]);
});
