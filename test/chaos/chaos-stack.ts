import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openConnection, type RowDataPacket } from '@board/mysql';
import { identifyProcess, isRunning, parseStat, signalProcess } from '@board/service';
import { readStack, type StackState, startStack } from '@board/stack';
import { addressesOf, type StackAddresses, waitUntil } from '@board/test';
import { tryLock } from '../../stack/instance/hold-lock.ts';
import { clearInstance } from '../../stack/instance/instance.ts';
import { listSteps, type StepTools } from '../../stack/run/list-steps.ts';
import type { Server } from '../../stack/servers/server.ts';
import { type LaidOutVersion, layOutVersion } from '../upgrade/lay-out-version.ts';
import { findUnused, type Link, openLinks } from './links.ts';
import { editsOf, type PlantName } from './plants.ts';
import type { LinkName, ProcessName } from './schedule.ts';

/** The stack that a run disturbs, and its processes by their names. */
export interface ChaosStack extends StackAddresses {
  readonly isOwn: boolean;
  /** Empty unless the stack is the run's own. */
  readonly links: ReadonlyMap<LinkName, Link>;
  readonly logDir: string;
  processes(): StackState['processes'];
  /** Ends it with SIGKILL, and resolves with its pid once the process is gone. */
  kill(name: ProcessName): Promise<number>;
  /** Resolves once it answers in a process other than `before`. */
  untilReadyAgain(name: ProcessName, before: number): Promise<void>;
  /** Stops a process, passes its pid to `onPid` before that, and resolves once the kernel shows it
   * as stopped. */
  freeze(name: ProcessName, onPid: (pid: number) => void): Promise<void>;
  isFrozen(pid: number): boolean;
  /** Continues it; false when it is gone. */
  thaw(pid: number): Promise<boolean>;
  query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** What the handler has refused so far, a line for each time. */
  refusals(): readonly { aggregateId: string; version: number; attempt: number }[];
  /** Ends what this run has started; nothing of a stack that ran before. */
  stop(): Promise<void>;
  /** Ends with SIGKILL what this run has started. */
  killAll(): void;
}

/** Longer than the checker allows. */
const readyAgainMs = 120_000;

export interface OwnStackOptions {
  readonly plant: PlantName | undefined;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * A stack made from nothing, with a proxy on every link and a handler that refuses some events at
 * first.
 */
export async function startOwnStack({ plant, say, signal }: OwnStackOptions): Promise<ChaosStack> {
  const links = await openLinks();
  let version: LaidOutVersion | undefined;
  const clear = async (): Promise<void> => {
    await links.close();
    version?.remove();
  };
  try {
    const copy = (version = layOutVersion(editsOf(plant)));
    const refusalsFile = copy.file('refusals.jsonl');
    const stack = await startStack({
      instance: 'chaos-run',
      portOffset: 'auto',
      fresh: true,
      onProgress: say,
      signal,
      steps(context, tools) {
        links.lead(context);
        const startServer: StepTools['startServer'] = (server, stop) =>
          tools.startServer(links.rewire(fromCopy(server, copy, refusalsFile), context), stop);
        return listSteps(context, {}, { ...tools, startServer });
      },
    });
    const read = () => ({ ...stack, state: stack.state() });
    await waitUntil('traffic on every link', () => findUnused(links.byName).length === 0).catch(
      async () => {
        const unused = findUnused(links.byName).join(', ');
        await stack.stop();
        throw new Error(
          `the stack does not use the proxies of ${unused}: their faults would disturb nothing`,
        );
      },
    );
    return {
      ...controls(() => read()),
      isOwn: true,
      links: links.byName,
      refusals: () => readLines(refusalsFile),
      async stop() {
        await stack.stop();
        // A run that is not clean has copied its logs; the data is some hundred megabytes.
        clearInstance(stack.instance);
        await clear();
      },
      killAll: () => stack.kill(),
    };
  } catch (error) {
    await clear();
    throw error;
  }
}

/** A stack that runs already. */
export async function attachStack(name: string): Promise<ChaosStack> {
  const read = () => {
    const running = readStack(name);
    if (running === undefined) throw new Error(`The native stack "${name}" does not run.`);
    return running;
  };
  const lock = await tryLock(join(read().instance.folder, 'chaos'));
  if (lock === undefined) throw new Error(`Another chaos run disturbs the stack "${name}".`);
  return {
    ...controls(read),
    isOwn: false,
    links: new Map(),
    refusals: () => [],
    stop: () => lock.release(),
    killAll: () => undefined,
  };
}

/** The services of the copy in the place of the shipped ones. */
function fromCopy(server: Server, copy: LaidOutVersion, refusalsFile: string): Server {
  const service = /^(order-service|catalog-service)/.exec(server.name)?.[1];
  if (service === undefined) return server;
  return {
    ...server,
    async command() {
      const command = await server.command();
      const main = `services/${service}/src/main.ts`;
      const args = command.args.map((arg) => (arg.endsWith(main) ? copy.file(main) : arg));
      return { ...command, args, env: { ...command.env, CHAOS_REFUSALS: refusalsFile } };
    },
  };
}

type Running = NonNullable<ReturnType<typeof readStack>>;
type Read = () => Pick<Running, 'instance' | 'ports' | 'secrets' | 'state'>;

function controls(
  read: Read,
): Omit<ChaosStack, 'isOwn' | 'links' | 'refusals' | 'stop' | 'killAll'> {
  const first = read();
  const addresses = addressesOf(first);
  const processOf = (name: string) => {
    const found = read().state.processes.find((one) => one.name === name);
    if (found === undefined) throw new Error(`the stack has no ${name}`);
    return found;
  };
  /**
   * The state may still name a process that has just ended, or of none while it is started
   * again.
   */
  const untilAlive = (name: string) =>
    waitUntil(`a process of ${name}`, () => identifyProcess(processOf(name).pid ?? 0), {
      timeoutMs: 60_000,
    });
  const stateOf = (pid: number): string =>
    parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')).state;
  const untilStat = (pid: number, what: string, isWanted: (state: string) => boolean) =>
    waitUntil(what, () => isWanted(stateOf(pid)), {
      timeoutMs: 5_000,
      everyMs: 10,
    });

  return {
    ...addresses,
    logDir: first.instance.logDir,
    processes: () => read().state.processes,
    async kill(name) {
      const identity = await untilAlive(name);
      if (!signalProcess(identity, 'SIGKILL')) throw new Error(`${name} was dead already`);
      await waitUntil(`the end of ${name}`, () => !isRunning(identity), {
        timeoutMs: 10_000,
        everyMs: 10,
      });
      return identity.pid;
    },
    async untilReadyAgain(name, before) {
      const isReady = (): boolean => {
        const { phase, pid } = processOf(name);
        return phase === 'running' && pid !== before;
      };
      await waitUntil(`${name} ready again`, isReady, { timeoutMs: readyAgainMs, everyMs: 50 });
    },
    async freeze(name, onPid) {
      const identity = await untilAlive(name);
      onPid(identity.pid);
      if (!signalProcess(identity, 'SIGSTOP')) throw new Error(`${name} was dead already`);
      await untilStat(identity.pid, `${name} stopped`, (state) => state === 'T');
    },
    isFrozen: (pid) => identifyProcess(pid) !== undefined && stateOf(pid) === 'T',
    async thaw(pid) {
      const identity = identifyProcess(pid);
      if (identity === undefined) return false;
      if (!signalProcess(identity, 'SIGCONT')) return false;
      await untilStat(pid, `process ${pid} continued`, (state) => state !== 'T').catch(
        (error: unknown) => {
          if (isRunning(identity)) throw error;
        },
      );
      return true;
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
        connectTimeout: 5_000,
      });
      try {
        const [rows] = await connection.query<RowDataPacket[]>({
          sql,
          values: [...values],
          timeout: 30_000,
        });
        return rows as never;
      } finally {
        connection.destroy();
      }
    },
  };
}

function readLines<Line>(file: string): Line[] {
  if (!existsSync(file)) return [];
  // The last part is empty, or a line that is just being written.
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Line);
}
