import { setTimeout as delay } from 'node:timers/promises';
import { isRunning, type ProcessIdentity, signalProcess } from '@board/service';
import type { Instance } from '../instance/instance.ts';
import { type PidFile, readPidFiles, removePidFile } from '../instance/pid-files.ts';

/** Groups that are stopped one after the other: the highest layer first. */
export function stopOrder<T extends { readonly layer: number }>(items: readonly T[]): T[][] {
  const layers = [...new Set(items.map(({ layer }) => layer))].toSorted((a, b) => b - a);
  return layers.map((layer) => items.filter((item) => item.layer === layer));
}

/**
 * Stops what a killed launcher of this instance left running, and returns their names.
 * Only a process whose pid and start time both fit its pid file is touched. Call it with the instance's lock held.
 */
export async function stopOrphans(
  instance: Instance,
  say: (line: string) => void,
  timeoutMs = 20_000,
): Promise<string[]> {
  const files = readPidFiles(instance);
  const orphans = files.filter(isRunning);
  for (const group of stopOrder(orphans)) {
    await Promise.all(group.map((orphan) => stop(orphan, say, timeoutMs)));
  }
  for (const { name } of files) removePidFile(instance, name);
  return orphans.map(({ name }) => name);
}

async function stop(orphan: PidFile, say: (line: string) => void, timeoutMs: number): Promise<void> {
  say(`${orphan.name} (pid ${orphan.pid}) was left behind by an earlier start: stopping it`);
  await stopProcess(orphan, timeoutMs);
}

/** SIGTERM, then SIGKILL after the deadline; resolves when the process is gone. Says whether the kill was needed. */
export async function stopProcess(identity: ProcessIdentity, timeoutMs: number): Promise<'stopped' | 'killed'> {
  signalProcess(identity, 'SIGTERM');
  if (await gone(identity, timeoutMs)) return 'stopped';
  signalProcess(identity, 'SIGKILL');
  await gone(identity, 10_000);
  return 'killed';
}

async function gone(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  for (const deadline = Date.now() + timeoutMs; isRunning(identity);) {
    if (Date.now() > deadline) return false;
    await delay(50);
  }
  return true;
}
