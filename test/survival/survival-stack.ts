import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { openConnection, type RowDataPacket } from '@board/mysql';
import { addressesOf, waitUntil, type StackAddresses } from '@board/test';
import { readStack, type StackState } from '@board/stack';
import { checkout } from '../../stack/instance/instance.ts';
import { identifyProcess, isRunning, parseStat, signalProcess } from '@board/service';

/** A stack that was started as a user starts it, and its processes by their names. */
export interface SurvivalStack extends StackAddresses {
  /** What the launcher has said. */
  output(): string;
  pidOf(name: string): number;
  /** Which process is which, as text. */
  pids(): string;
  /** Ends it with SIGKILL, and resolves once the process is gone. */
  kill(name: string): Promise<void>;
  /** Stops or continues a process; resolves once the system says that it took. */
  freeze(name: string): Promise<void>;
  thaw(name: string): Promise<void>;
  /** Resolves once it answers again in a process other than `before`. */
  untilReadyAgain(name: string, before: number): Promise<void>;
  untilAllReady(): Promise<void>;
  query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** An operator's command; its output, and its exit code. */
  run(
    command: string,
    ...args: readonly string[]
  ): Promise<{ code: number; output: string; problems: string }>;
  stop(): Promise<void>;
}

const readyAgainMs = 240_000;

export async function startSurvivalStack(name: string): Promise<SurvivalStack> {
  await npm(['run', 'stack', '--', '--instance', name, 'reset', '--yes']);
  const child = spawn('npm', ['start', '--', '--instance', name, '--port-offset', 'auto'], {
    cwd: checkout,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise<void>((done) => child.once('close', () => done()));
  const stop = async (): Promise<void> => {
    // As Ctrl-C does: the terminal signals the whole group.
    if (child.exitCode === null) process.kill(-(child.pid ?? 0), 'SIGINT');
    await ended;
  };

  const read = () => {
    const running = readStack(name);
    if (!running) throw new Error(`the stack "${name}" does not run:\n${output.slice(-4_000)}`);
    return running;
  };
  await waitUntil(
    'the start',
    () => child.exitCode !== null || output.includes('Ctrl-C stops everything'),
    {
      timeoutMs: 600_000,
    },
  );
  const addresses = addressesOf(read());
  const stateOf = (server: string) =>
    read().state.processes.find((process) => process.name === server);
  const pidOf = (server: string): number => {
    const pid = stateOf(server)?.pid;
    if (pid === undefined) throw new Error(`${server} does not run`);
    return pid;
  };
  const untilState = async (
    server: string,
    signal: NodeJS.Signals,
    isWanted: (state: string) => boolean,
  ) => {
    const pid = pidOf(server);
    process.kill(pid, signal);
    const stat = () => parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')).state;
    await waitUntil(`${server} after ${signal}`, () => isWanted(stat()), {
      timeoutMs: 5_000,
      everyMs: 10,
    });
  };

  return {
    ...addresses,
    output: () => output,
    pidOf,
    pids: () =>
      read()
        .state.processes.map(({ name: one, pid }) => `${one} ${pid}`)
        .join(', '),
    async kill(server) {
      const identity = identifyProcess(pidOf(server));
      if (!identity || !signalProcess(identity, 'SIGKILL'))
        throw new Error(`${server} was dead already`);
      await waitUntil(`the end of ${server}`, () => !isRunning(identity), {
        timeoutMs: 10_000,
        everyMs: 10,
      });
    },
    freeze: (server) => untilState(server, 'SIGSTOP', (state) => state === 'T'),
    thaw: (server) => untilState(server, 'SIGCONT', (state) => state !== 'T'),
    async untilReadyAgain(server, before) {
      const isReady = (): boolean => {
        const state = stateOf(server);
        return state?.phase === 'running' && state.pid !== before;
      };
      await waitUntil(`${server} ready again`, isReady, { timeoutMs: readyAgainMs, everyMs: 20 });
    },
    async untilAllReady() {
      // The state may still name a process that was killed a moment ago.
      const isReady = ({ phase, pid = 0 }: StackState['processes'][number]): boolean =>
        phase === 'running' && identifyProcess(pid) !== undefined;
      const others = (): string[] =>
        read().state.processes.flatMap((one) => (isReady(one) ? [] : [`${one.name} ${one.phase}`]));
      await waitUntil('all processes ready', () => others().length === 0, {
        timeoutMs: readyAgainMs,
        everyMs: 100,
      });
    },
    async query(sql, values = []) {
      const { host, port, rootPassword: password } = addresses.mysql;
      // A connection for each: the server dies and comes back.
      const connection = await openConnection({
        host,
        port,
        user: 'root',
        password,
        timezone: 'Z',
      });
      try {
        const [rows] = await connection.query<RowDataPacket[]>(sql, [...values]);
        return rows as never;
      } finally {
        connection.destroy();
      }
    },
    async run(command, ...args) {
      return npm(['run', '--silent', command, '--', ...args, '--instance', name]);
    },
    async stop() {
      await stop();
      await npm(['run', 'stack', '--', '--instance', name, 'reset', '--yes']);
    },
  };
}

async function npm(
  args: readonly string[],
): Promise<{ code: number; output: string; problems: string }> {
  const options = { cwd: checkout, maxBuffer: 512 * 1024 * 1024 };
  try {
    const { stdout, stderr } = await promisify(execFile)('npm', args, options);
    return { code: 0, output: stdout, problems: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw error;
    return { code, output: stdout ?? '', problems: stderr ?? '' };
  }
}
