import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { locateInstance } from '../instance/instance.ts';
import { findBusyPorts, listPorts, portsAt, readOffset } from '../instance/ports.ts';
import { readState } from '../run/stack-state.ts';
import { readStack } from '../stack.ts';

// One story in order: each test goes on where the one before stopped.
const name = 'launcher-e2e';
const instance = locateInstance(name);
const fiveMinutes = 300_000;

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exitCode: Promise<number | null>;
  readonly says: (text: string) => Promise<void>;
}

/** Runs the launcher as a terminal would: a process group of its own. */
function launch(args: readonly string[], env: Readonly<Record<string, string>> = {}): Run {
  const child = spawn(
    'node',
    [resolve(import.meta.dirname, '../launch.mjs'), '--instance', name, ...args],
    {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      // The throw-away caches of another Java are not worth making here.
      env: { ...process.env, STACK_AOT: '0', ...env },
    },
  );
  let output = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const check of waiting) check();
    });
  }
  const exitCode = new Promise<number | null>((done) => child.once('close', done));
  return {
    child,
    output: () => output,
    exitCode,
    says: (text) =>
      new Promise((done, reject) => {
        const check = (): void => {
          if (output.includes(text)) done();
        };
        waiting.add(check);
        check();
        void exitCode.then(() =>
          reject(new Error(`it ended without saying "${text}":\n${output}`)),
        );
      }),
  };
}

/** Ctrl-C: the terminal signals the whole group, and `launch.mjs` passes it on once more. */
function pressControlC({ child }: Run): void {
  process.kill(-(child.pid ?? 0), 'SIGINT');
}

/** Command lines of all processes that have to do with this instance. */
function processesOfInstance(): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((line) => line.includes(`${instance.folder}/`) || line.includes(`--instance ${name}`));
}

const stateOf = (server: string) =>
  readStack(name)?.state.processes.find((process) => process.name === server);

function pidOf(server: string): number {
  const pid = stateOf(server)?.pid;
  if (pid === undefined) throw new Error(`${server} does not run`);
  return pid;
}

async function expectNothingLeft(): Promise<void> {
  expect(processesOfInstance()).toEqual([]);
  expect(readState(instance)?.children).toEqual([]);
  const ports = listPorts(portsAt(readOffset(instance.folder) ?? 0), 'kraft').map(
    ({ port }) => port,
  );
  expect(await findBusyPorts(ports)).toEqual([]);
}

const reset = async (): Promise<void> => {
  expect(await launch(['reset', '--yes']).exitCode).toBe(0);
};
beforeAll(reset);
afterAll(reset);

let first: Run;
let second: Run;

test(
  '`start` reaches the end; a second start reports the first and exits 1',
  { timeout: fiveMinutes },
  async () => {
    first = launch(['start', '--only', 'servers', '--port-offset', 'auto']);
    await first.says('Ctrl-C stops everything');
    const other = launch(['start', '--only', 'servers']);
    expect(await other.exitCode).toBe(1);
    expect(other.output()).toContain(`The stack "${name}" runs already`);
    const withComments = launch(['up', '--with', 'comments']);
    expect(await withComments.exitCode).toBe(1);
    expect(withComments.output()).toContain(`The stack "${name}" runs without comment-service`);
    const contradiction = launch(['up', '--only', 'servers', '--with', 'comments']);
    expect(await contradiction.exitCode).toBe(1);
    expect(contradiction.output()).toContain('say one of the two');
    expect(readStack(name)?.state.phase).toBe('ready');
  },
);

test(
  '`setup` repeats steps on the running stack, and names those that there are',
  { timeout: fiveMinutes },
  async () => {
    const repeated = launch(['setup', 'schemas', 'topics']);
    expect(await repeated.exitCode).toBe(0);
    expect(repeated.output()).toMatch(/topics done[\s\S]*schemas done/);
    const unknown = launch(['setup', 'nonsense']);
    expect(await unknown.exitCode).toBe(2);
    expect(unknown.output()).toContain(
      'the steps are users, migrations, grants, topics, schemas, connector',
    );
  },
);

test(
  'a server that is killed is started again, and its restart is reported',
  { timeout: fiveMinutes },
  async () => {
    const killed = pidOf('registry');
    process.kill(killed, 'SIGKILL');
    await first.says('registry died (SIGKILL): starting it again');
    await first.says('registry ready again');
    expect(stateOf('registry')).toMatchObject({ phase: 'running', restarts: 1 });
    expect(pidOf('registry')).not.toBe(killed);
  },
);

test(
  'after kill -9 of the launcher, `start` stops the orphans, touches nothing else, and reaches the end with the options given',
  { timeout: fiveMinutes },
  async () => {
    const bystander = spawn('sleep', ['600'], { cwd: instance.runDir });
    onTestFinished(() => void bystander.kill());
    const orphan = pidOf('mysql');
    process.kill(readStack(name)?.state.supervisor.pid ?? 0, 'SIGKILL');
    await first.exitCode;
    expect(processesOfInstance()).not.toEqual([]);

    second = launch(['start', '--with', 'comments']);
    await second.says('Ctrl-C stops everything');
    expect(second.output()).toContain(`mysql (pid ${orphan}) was left behind by an earlier start`);
    expect(bystander.exitCode).toBeNull();
    expect(readStack(name)?.state.processes.map((process) => process.name)).toEqual(
      expect.arrayContaining(['catalog-service-2', 'comment-service']),
    );
  },
);

test(
  'a service that keeps dying stops no other, `status` says why, and it runs again once its cause is gone',
  { timeout: fiveMinutes },
  async () => {
    const others = (): (number | undefined)[] =>
      readStack(name)?.state.processes.flatMap(({ name: one, pid }) =>
        one === 'order-service' ? [] : [pid],
      ) ?? [];
    const before = others();
    const port = Number(new URL(stateOf('order-service')?.address ?? '').port);
    const blocker = createServer((socket) => socket.destroy());
    onTestFinished(() => void blocker.close());
    process.kill(pidOf('order-service'), 'SIGKILL');
    await expect
      .poll(
        () =>
          new Promise((done) =>
            blocker
              .once('listening', () => done(true))
              .once('error', done)
              .listen(port),
          ),
        {
          timeout: 2000,
          interval: 10,
        },
      )
      .toBe(true);
    await second.says('order-service died 5 times in a row');

    const status = launch(['status']);
    expect(await status.exitCode).toBe(1);
    expect(status.output()).toMatch(
      /order-service: died \d+ times in a row \(.*\), next try at \S+; its log is \S+order-service\.log/,
    );
    expect(others()).toEqual(before);

    await new Promise((done) => blocker.close(done));
    await second.says('order-service ready again');
    expect(await launch(['status']).exitCode).toBe(0);
    expect(others()).toEqual(before);
  },
);

test(
  'Ctrl-C stops everything, services first and MySQL last, and leaves nothing behind',
  { timeout: fiveMinutes },
  async () => {
    pressControlC(second);
    expect(await second.exitCode).toBe(0);
    const stopped = [...second.output().matchAll(/ (\S+) (?:stopped|killed)/g)].map(
      (match) => match[1],
    );
    expect(stopped.slice(0, 5).toSorted()).toEqual([
      'catalog-service-1',
      'catalog-service-2',
      'comment-service',
      'keeper',
      'order-service',
    ]);
    expect(stopped.slice(5, 7)).toEqual(['connect', 'registry']);
    expect(stopped.slice(7, 10).toSorted()).toEqual(['kafka-1', 'kafka-2', 'kafka-3']);
    expect(stopped[10]).toBe('mysql');
    await expectNothingLeft();
  },
);

test(
  'after `reset`, STACK_HERMETIC=1 starts everything from nothing with the fetched MySQL and Java',
  { timeout: fiveMinutes },
  async () => {
    await reset();
    expect(readdirSync(instance.dataDir)).toEqual([]);
    const hermetic = launch(['start', '--only', 'servers'], { STACK_HERMETIC: '1' });
    await hermetic.says('Ctrl-C stops everything');
    for (const server of ['mysql', 'kafka-1', 'connect', 'registry']) {
      // Fetched programs run through the loader that came with them.
      expect(readFileSync(`/proc/${pidOf(server)}/cmdline`, 'utf8')).toMatch(
        /^\S*board-pipeline\/root-\S*\/ld-linux/,
      );
    }
    pressControlC(hermetic);
    expect(await hermetic.exitCode).toBe(0);
    await expectNothingLeft();
  },
);
