import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { locateInstance, makeFolders } from '../instance/instance.ts';
import { readPidFiles, writePidFile } from '../instance/pid-files.ts';
import { identifyProcess, isRunning, type ProcessIdentity } from '@board/service';
import { stopOrder, stopOrphans } from './stop-orphans.ts';

function emptyInstance() {
  const folder = mkdtempSync(join(tmpdir(), 'stack-orphans-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const instance = locateInstance('test', folder);
  makeFolders(instance);
  return instance;
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

test('an orphan is stopped, and its pid file goes', async () => {
  const instance = emptyInstance();
  const orphan = await runSleeper();
  writePidFile(instance, { name: 'kafka-1', layer: 1, ...orphan });
  expect(await stopOrphans(instance, () => undefined)).toEqual(['kafka-1']);
  expect(isRunning(orphan)).toBe(false);
  expect(readPidFiles(instance)).toEqual([]);
});

test('an orphan that does not listen to SIGTERM is killed after the deadline', async () => {
  const instance = emptyInstance();
  const orphan = await runSleeper("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)");
  writePidFile(instance, { name: 'kafka-1', layer: 1, ...orphan });
  await stopOrphans(instance, () => undefined, 200);
  expect(isRunning(orphan)).toBe(false);
});

test('a process that got the REUSED pid of a dead one is not touched', async () => {
  const instance = emptyInstance();
  const unrelated = await runSleeper();
  writePidFile(instance, { name: 'kafka-1', layer: 1, ...unrelated, startTime: '1' });
  writePidFile(instance, { name: 'kafka-2', layer: 1, ...unrelated, bootId: 'before the reboot' });
  expect(await stopOrphans(instance, () => undefined)).toEqual([]);
  expect(isRunning(unrelated)).toBe(true);
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
