import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identifyProcess, isRunning, type ProcessIdentity } from '@board/service';
import { expect, onTestFinished, test } from 'vitest';
import { locateInstance, makeFolders, type Instance } from '../instance/instance.ts';
import {
  findOrphans,
  parseMemory,
  readMemory,
  readState,
  stopOrder,
  stopOrphans,
  writeState,
  type ChildProcess,
} from './stack-state.ts';

test('the proportional set size is read in bytes', () => {
  expect(
    parseMemory(
      '55d0-7fff ---p 00000000 00:00 0 [rollup]\nRss:   2048 kB\nPss:   1024 kB\nPss_Anon: 1 kB\n',
    ),
  ).toBe(1024 * 1024);
});

test('this process has some memory, one that is gone has no figure', () => {
  expect(readMemory(process.pid)).toBeGreaterThan(1024 * 1024);
  expect(readMemory(2 ** 22 + 1)).toBeUndefined();
});

function emptyInstance() {
  const folder = mkdtempSync(join(tmpdir(), 'stack-orphans-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const instance = locateInstance('test', folder);
  makeFolders(instance);
  return instance;
}

/** What a launcher leaves that is killed while these run. */
function leave(instance: Instance, ...children: ChildProcess[]): void {
  const supervisor = { pid: process.pid, startTime: '1', bootId: 'before' };
  writeState(instance, {
    phase: 'ready',
    supervisor,
    startedAt: 'before',
    processes: [],
    children,
  });
}

async function runSleeper(script = 'setInterval(() => {}, 1000)'): Promise<ProcessIdentity> {
  const child = spawn(process.execPath, ['-e', `${script}; console.log('up')`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const identity = identifyProcess(child.pid ?? 0);
  if (identity === undefined) throw new Error('the child has ended');
  return identity;
}

test('a state with the former name of a phase can be read', () => {
  const instance = emptyInstance();
  leave(instance);
  const file = join(instance.runDir, 'state.json');
  const dying = { name: 'a', phase: 'gave-up', address: '', logFile: '', restarts: 9 };
  const state = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...state, processes: [dying] }));
  expect(readState(instance)?.processes).toEqual([{ ...dying, phase: 'keeps-failing' }]);
});

test('an orphan is stopped, and then there is none', async () => {
  const instance = emptyInstance();
  const orphan = await runSleeper();
  leave(instance, { name: 'kafka-1', layer: 1, ...orphan });
  expect(await stopOrphans(instance, () => undefined)).toEqual(['kafka-1']);
  expect(isRunning(orphan)).toBe(false);
  expect(findOrphans(instance)).toEqual([]);
});

test('an orphan that does not listen to SIGTERM is killed after the deadline', async () => {
  const instance = emptyInstance();
  const orphan = await runSleeper("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)");
  leave(instance, { name: 'kafka-1', layer: 1, ...orphan });
  await stopOrphans(instance, () => undefined, 200);
  expect(isRunning(orphan)).toBe(false);
});

test('a process that got the reused pid of a dead one is not touched', async () => {
  const instance = emptyInstance();
  const unrelated = await runSleeper();
  leave(
    instance,
    { name: 'kafka-1', layer: 1, ...unrelated, startTime: '1' },
    { name: 'kafka-2', layer: 1, ...unrelated, bootId: 'before the reboot' },
  );
  expect(await stopOrphans(instance, () => undefined)).toEqual([]);
  expect(isRunning(unrelated)).toBe(true);
});

test('a state that is cut short, or not there, names no orphan and stops no process', async () => {
  const instance = emptyInstance();
  expect(await stopOrphans(instance, () => undefined)).toEqual([]);
  leave(instance, { name: 'kafka-1', layer: 1, ...(await runSleeper()) });
  const file = join(instance.runDir, 'state.json');
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, -10));
  expect(readState(instance)).toBeUndefined();
  expect(await stopOrphans(instance, () => undefined)).toEqual([]);
});

test('what depends on others is stopped first', () => {
  const items = [
    { name: 'mysql', layer: 0 },
    { name: 'order-service', layer: 4 },
    { name: 'kafka-1', layer: 1 },
    { name: 'kafka-2', layer: 1 },
  ];
  expect(stopOrder(items).map((group) => group.map(({ name }) => name))).toEqual([
    ['order-service'],
    ['kafka-1', 'kafka-2'],
    ['mysql'],
  ]);
});
