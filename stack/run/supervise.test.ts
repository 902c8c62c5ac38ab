import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backoffMs } from '@board/service/backoff';
import { expect, onTestFinished, test } from 'vitest';
import { locateInstance, makeFolders } from '../instance/instance.ts';
import { layers, type Server } from '../servers/server.ts';
import type { Command } from './run-command.ts';
import { runServers, type StackWatcher } from './run-servers.ts';
import { restartPolicy, supervise } from './supervise.ts';

const quick = { stableMs: 60_000, firstMs: 1, maxMs: 20, keepsFailingFrom: 3 };
const sleeping = (): Command => ({ file: 'sleep', args: ['600'] });
const failing = (): Command => ({ file: 'sh', args: ['-c', 'echo cause; exit 7'] });

function place() {
  const folder = mkdtempSync(join(tmpdir(), 'supervise-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const instance = locateInstance('supervise', folder);
  makeFolders(instance);
  return instance;
}

function serverOf(
  name: string,
  command: () => Command,
  probe: Server['probe'] = () => Promise.resolve({ kind: 'ready' }),
) {
  return {
    name,
    layer: layers.service,
    address: () => 'nowhere',
    prepare: () => Promise.resolve(),
    command: () => Promise.resolve(command()),
    probe,
    readyTimeoutMs: 5000,
    stopTimeoutMs: 5000,
  } satisfies Server;
}

test('the wait doubles with each death in a row, up to half a minute', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1000].map((deaths) => backoffMs(restartPolicy, deaths));
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

/** Supervises one process that can be told to fail from its next start on. */
async function start(policy = quick) {
  const said: string[] = [];
  const next = { command: sleeping };
  const server = serverOf('service', () => next.command());
  const supervised = await supervise(
    place(),
    server,
    { say: (line) => said.push(line), onChange: () => undefined },
    policy,
  );
  onTestFinished(async () => void (await supervised.stop()));
  await supervised.ready;
  const kill = (): void => void process.kill(supervised.state().pid ?? 0, 'SIGKILL');
  const runsAgain = async (before: number | undefined): Promise<void> => {
    await expect
      .poll(() => supervised.state(), { timeout: 5000, interval: 5 })
      .toSatisfy(
        ({ phase, pid }: { phase: string; pid?: number }) => phase === 'running' && pid !== before,
      );
  };
  return { supervised, said, next, kill, runsAgain };
}

test('a process that is killed ten times in a row as soon as it is ready comes back each time', async () => {
  const { supervised, kill, runsAgain } = await start();
  for (let round = 1; round <= 10; round += 1) {
    const { pid } = supervised.state();
    kill();
    await runsAgain(pid);
  }
  expect(supervised.state()).toMatchObject({ restarts: 10 });
  expect(supervised.state().problem).toBeUndefined();
});

test('a process that keeps dying is shown with reason, log and next try, and runs once its cause is gone', async () => {
  const { supervised, said, next, kill, runsAgain } = await start();
  next.command = failing;
  kill();
  await expect.poll(() => supervised.state().phase, { timeout: 5000 }).toBe('keeps-failing');
  const { logFile, problem } = supervised.state();
  expect(problem).toMatch(/^died \d+ times in a row \(exit code 7\), next try at \S+; its log is /);
  expect(problem).toContain(logFile);
  const [line] = said.filter((text) => text.startsWith('service died 3 times in a row'));
  expect(line).toContain(
    `everything else goes on, and it is tried again in 0.004 s; the end of ${logFile}:\ncause`,
  );

  next.command = sleeping;
  await runsAgain(undefined);
  expect(said.at(-1)).toBe('service ready again at nowhere');
});

test('a process that was ready for long enough starts from the shortest wait again', async () => {
  const { supervised, said, kill, runsAgain } = await start({ ...quick, stableMs: 0 });
  for (let round = 1; round <= 4; round += 1) {
    const { pid } = supervised.state();
    kill();
    await runsAgain(pid);
  }
  const deaths = said.filter((line) => line.includes('died'));
  expect(deaths).toEqual(
    Array.from({ length: 4 }, () => 'service died (SIGKILL): starting it again in 1 ms'),
  );
});

test('a program that is gone at its restart is a death like any other', async () => {
  const { supervised, next, kill, runsAgain } = await start();
  next.command = () => ({ file: '/no/such/program', args: [] });
  kill();
  await expect.poll(() => supervised.state().phase, { timeout: 5000 }).toBe('keeps-failing');
  expect(supervised.state().problem).toContain('no start: spawn /no/such/program ENOENT');
  next.command = sleeping;
  await runsAgain(undefined);
});

test('a stop ends the wait for the next try, and no process follows', async () => {
  const { supervised, next, kill } = await start({ ...quick, firstMs: 600_000, maxMs: 600_000 });
  let starts = 0;
  kill();
  await expect.poll(() => supervised.state().phase, { timeout: 5000 }).toBe('restarting');
  next.command = () => {
    starts += 1;
    return sleeping();
  };
  expect(await supervised.stop()).toBe('stopped');
  expect(supervised.state().phase).toBe('stopped');
  expect(starts).toBe(0);
});

/** Runs some servers as one start, with the waits of the real policy. */
function startAll(
  servers: readonly Server[],
  said: string[] = [],
  onChange: StackWatcher['onChange'] = () => undefined,
) {
  const instance = place();
  return runServers(
    // Only the instance is looked at.
    { instance } as Parameters<typeof runServers>[0],
    (tools) =>
      servers.map((server) => ({
        name: server.name,
        needs: [],
        run: (signal) => tools.startServer(server, signal),
      })),
    { say: (line) => said.push(line), onChange },
    new AbortController().signal,
  );
}

test('a server that dies over and over before it was ever ready fails the start, and the others are stopped', async () => {
  const good = serverOf('good', sleeping);
  const bad = serverOf('bad', failing, () =>
    Promise.resolve({ kind: 'not-ready', reason: 'not yet' }),
  );
  const said: string[] = [];
  await expect(startAll([good, bad], said)).rejects.toThrow(
    /^bad died 5 times in a row, the last time with exit code 7; the end of \S+bad\.log:\ncause/,
  );
  expect(said).toContain('good stopped');
}, 20_000);

test('each process that runs is reported from its start to its end, tasks too', async () => {
  const prepare: Server['prepare'] = (runTask) => runTask('task', { file: 'sleep', args: ['0.2'] });
  const told: string[] = [];
  const servers = await startAll(
    [{ ...serverOf('service', sleeping), prepare }],
    [],
    ({ children, processes }) =>
      told.push(
        children.map(({ name, pid }) => `${name} ${pid > 0} beside ${processes.length}`).join(),
      ),
  );
  await servers.stop();
  // Before its server is in the table.
  expect(told.slice(0, 4)).toEqual([
    'task true beside 0',
    '',
    'service true beside 0',
    'service true beside 1',
  ]);
  expect(told.at(-1)).toBe('');
});

test('a server that was ready once and then keeps dying stops no other', async () => {
  const dying = { command: sleeping };
  const said: string[] = [];
  const servers = await startAll(
    [serverOf('good', sleeping), serverOf('dying', () => dying.command())],
    said,
  );
  onTestFinished(servers.stop);
  const stateOf = (name: string) =>
    servers
      .all()
      .find(({ server }) => server.name === name)
      ?.state();
  const good = stateOf('good')?.pid;
  dying.command = failing;
  process.kill(stateOf('dying')?.pid ?? 0, 'SIGKILL');
  await expect.poll(() => stateOf('dying')?.phase, { timeout: 15_000 }).toBe('keeps-failing');
  expect(stateOf('good')).toMatchObject({ phase: 'running', pid: good });
  expect(readFileSync(`/proc/${good}/cmdline`, 'utf8')).toContain('sleep');
}, 20_000);
