import { openConnection } from '@board/mysql';
import { type Fault, waitUntil } from '@board/test';
import { countBrokers } from '../../stack/servers/server.ts';
import { loopback } from '../../stack/servers/server.ts';
import { foreignKinds } from '../survival/foreign-records.ts';
import type { ChaosStack } from './chaos-stack.ts';
import { foreignMarker } from './history.ts';
import type { Ledger } from './ledger.ts';
import type { Link } from './links.ts';
import {
  type LinkName,
  linkNames,
  type ProcessName,
  processNames,
  type ScheduledFault,
} from './schedule.ts';

/** How a fault begins and ends. */
export interface Injection {
  /** Resolves once the fault is seen to have taken, with what was seen. */
  begin(): Promise<string>;
  /** Resolves once it is over; called after every `begin`, also one that failed. */
  end(): Promise<string>;
  /** Resolves once what was killed is ready again; called after `end`. */
  heal?(): Promise<string>;
}

const tookWithinMs = 45_000;
const nothing = (): Promise<string> => Promise.resolve('');
/** `without identity`: enough for several batches, and few enough for a run of a minute. */
const mostRecords = 5_000;

export function injectionOf(fault: ScheduledFault, stack: ChaosStack, ledger: Ledger): Injection {
  const { kind, target, how } = fault;
  switch (kind) {
    case 'kill':
      return kill(stack, processOf(target));
    case 'freeze':
      return freeze(stack, [processOf(target)]);
    case 'all brokers frozen':
      return freeze(stack, ['kafka-1', 'kafka-2', 'kafka-3']);
    case 'link cut':
      return disturb(stack, linkOf(target), { kind: 'cut' });
    case 'link reset':
      return disturb(stack, linkOf(target), { kind: 'reset' });
    case 'link half-open':
      return disturb(stack, linkOf(target), { kind: 'half-open', drop: directionOf(how) });
    case 'link slow':
      return disturb(stack, linkOf(target), { kind: 'delay', ms: Number(how) });
    case 'registry answers 500':
      return failRegistry(stack);
    case 'foreign records':
      return { begin: () => writeForeign(fault, stack, ledger), end: nothing };
    case 'column renamed':
      return renameColumn(stack);
    case 'MySQL read-only':
      return makeReadOnly(stack);
    case 'table with a column url created':
      return { begin: () => createTable(stack), end: nothing };
    case 'table of others flushed':
      return { begin: () => flushTable(stack), end: nothing };
  }
}

/**
 * Ends what outlives a run that was killed: stopped processes, a renamed column, a read-only
 * server; returns what it did.
 */
export async function undoFaults(stack: ChaosStack): Promise<readonly string[]> {
  const stopped = stack.processes().filter(({ pid }) => pid !== undefined && stack.isFrozen(pid));
  // First of all: a stopped MySQL would take no statement.
  for (const { pid } of stopped) await stack.thaw(pid ?? 0);
  return [
    ...stopped.map(({ name }) => `${name} continued`),
    await renameColumn(stack).end(),
    await makeReadOnly(stack).end(),
  ];
}

function processOf(target: string): ProcessName {
  const name = processNames.find((one) => one === target);
  if (name === undefined)
    throw new Error(`the schedule names ${JSON.stringify(target)}, which is no process`);
  return name;
}

function linkOf(target: string): LinkName {
  const name = linkNames.find((one) => one === target);
  if (name === undefined)
    throw new Error(`the schedule names ${JSON.stringify(target)}, which is no link`);
  return name;
}

function directionOf(how: string | null): 'both' | 'to-server' | 'to-client' {
  if (how === 'both' || how === 'to-server' || how === 'to-client') return how;
  throw new Error(`the schedule names ${JSON.stringify(how)}, which is no direction`);
}

function kill(stack: ChaosStack, name: ProcessName): Injection {
  let killed: number | undefined;
  return {
    async begin() {
      killed = await stack.kill(name);
      return `process ${killed} is gone`;
    },
    end: nothing,
    async heal() {
      if (killed === undefined) return '';
      await stack.untilReadyAgain(name, killed);
      return 'ready again';
    },
  };
}

function freeze(stack: ChaosStack, names: readonly ProcessName[]): Injection {
  const frozen: number[] = [];
  return {
    async begin() {
      for (const name of names) await stack.freeze(name, (pid) => frozen.push(pid));
      return `stopped: ${frozen.join(', ')}`;
    },
    async end() {
      const thawed = await Promise.all(frozen.map((pid) => stack.thaw(pid)));
      return thawed.every(Boolean) ? 'continued' : 'ended meanwhile';
    },
  };
}

function disturb(stack: ChaosStack, name: LinkName, fault: Fault): Injection {
  const link = openLink(stack, name);
  return {
    async begin() {
      link.set(fault);
      return untilHit(stack, name, link);
    },
    end() {
      // A connection of which bytes are missing cannot go on: its other end learns that by a reset,
      // as from a real network.
      if (fault.kind === 'half-open') link.set({ kind: 'reset' });
      link.set({ kind: 'none' });
      return Promise.resolve('through again');
    },
  };
}

function openLink(stack: ChaosStack, name: LinkName): Link {
  const link = stack.links.get(name);
  if (link === undefined) throw new Error(`the stack has no proxy on ${name}`);
  return link;
}

/** The stack's own traffic meets it sooner or later; a client more does at once. */
async function untilHit(stack: ChaosStack, name: LinkName, link: Link): Promise<string> {
  let knocks = 0;
  const isHit = async (): Promise<boolean> => {
    if (link.hits() > 0) return true;
    knocks += 1;
    await knock(stack, name, link.ports[0] ?? 0).catch(() => undefined);
    return link.hits() > 0;
  };
  await waitUntil(`the fault of ${name}`, isHit, { timeoutMs: tookWithinMs, everyMs: 100 });
  const hits = `${link.hits()} connections or chunks hit`;
  return knocks === 0 ? hits : `${hits}, the first by a client of the run itself`;
}

async function knock(stack: ChaosStack, name: LinkName, port: number): Promise<void> {
  const address = { host: loopback, port };
  if (name.endsWith('->kafka')) await countBrokers(address);
  else if (name.endsWith('->registry')) await askRegistry(port);
  else {
    const { rootPassword: password } = stack.mysql;
    const connection = await openConnection({
      ...address,
      user: 'root',
      password,
      connectTimeout: 1_000,
    });
    connection.destroy();
  }
}

async function askRegistry(port: number): Promise<number> {
  const url = `http://${loopback}:${port}/apis/ccompat/v7/subjects`;
  const { status } = await fetch(url, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(1_000),
  });
  return status;
}

function failRegistry(stack: ChaosStack): Injection {
  const links = linkNames
    .filter((name) => name.endsWith('->registry'))
    .map((name) => openLink(stack, name));
  return {
    async begin() {
      for (const link of links) link.misdirect(true);
      for (const link of links)
        await waitUntil(
          'an answer 500',
          async () => (await askRegistry(link.ports[0] ?? 0)) === 500,
          {
            timeoutMs: tookWithinMs,
          },
        );
      return 'answers 500';
    },
    end() {
      for (const link of links) link.misdirect(false);
      return Promise.resolve('asked again');
    },
  };
}

async function writeForeign(
  { id, target }: ScheduledFault,
  { brokers }: ChaosStack,
  ledger: Ledger,
): Promise<string> {
  const kind = foreignKinds.find(({ name }) => name === target);
  if (kind === undefined)
    throw new Error(`the schedule names ${JSON.stringify(target)}, which is no kind of record`);
  const count = Math.min(kind.count, mostRecords);
  const stored = Math.min(kind.stored, mostRecords);
  const foreign = {
    id,
    kind: kind.name,
    topic: kind.topic,
    sentAt: Date.now(),
    count,
    acknowledged: 0,
  };
  ledger.foreign(foreign);
  await kind.write(brokers, foreignMarker(id), count);
  ledger.foreign({ ...foreign, acknowledged: stored });
  return `${count} sent to ${kind.topic}, ${stored} stored`;
}

function renameColumn(stack: ChaosStack): Injection {
  const has = async (column: string): Promise<boolean> => {
    const found = await stack.query(
      `SELECT 1 FROM information_schema.columns WHERE table_schema = 'catalog_service' AND table_name = 'catalog'
         AND column_name = ?`,
      [column],
    );
    return found.length === 1;
  };
  const rename = (from: string, to: string): Promise<boolean> =>
    waitUntil(
      `column ${from} renamed to ${to}`,
      async () => {
        if (!(await has(to)))
          await stack.query(`ALTER TABLE catalog_service.catalog RENAME COLUMN ${from} TO ${to}`);
        return has(to);
      },
      { timeoutMs: tookWithinMs, everyMs: 250 },
    );
  return {
    begin: async () =>
      (await rename('author', 'writer')) ? 'catalog.author is catalog.writer' : '',
    end: async () => ((await rename('writer', 'author')) ? 'catalog.author again' : ''),
  };
}

function makeReadOnly(stack: ChaosStack): Injection {
  const isRefused = async (): Promise<boolean> => {
    // There is none: where writes are taken, nothing is written.
    const refused = await stack.query('DROP DATABASE IF EXISTS read_only_probe').then(
      () => undefined,
      (error: unknown) => error,
    );
    return (
      refused instanceof Error &&
      'code' in refused &&
      refused.code === 'ER_OPTION_PREVENTS_STATEMENT'
    );
  };
  return {
    async begin() {
      await stack.query('SET GLOBAL super_read_only = ON');
      await waitUntil('a refused write', isRefused, { timeoutMs: tookWithinMs });
      return 'writes are refused';
    },
    async end() {
      const write = async (): Promise<boolean> => {
        await stack.query('SET GLOBAL super_read_only = OFF');
        await stack.query('SET GLOBAL read_only = OFF');
        return !(await isRefused());
      };
      await waitUntil('a write', write, { timeoutMs: tookWithinMs });
      return 'writes are taken';
    },
  };
}

async function createTable(stack: ChaosStack): Promise<string> {
  await stack.query('CREATE DATABASE IF NOT EXISTS scratch');
  await stack.query('DROP TABLE IF EXISTS scratch.links');
  await stack.query('CREATE TABLE scratch.links (id INT PRIMARY KEY, url VARCHAR(255))');
  return 'scratch.links is there';
}

async function flushTable(stack: ChaosStack): Promise<string> {
  await stack.query('CREATE DATABASE IF NOT EXISTS scratch');
  await stack.query('CREATE TABLE IF NOT EXISTS scratch.links (id INT PRIMARY KEY)');
  await stack.query('FLUSH TABLES scratch.links');
  return 'scratch.links is flushed';
}
