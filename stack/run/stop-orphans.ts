import { setTimeout as delay } from 'node:timers/promises';
import { isRunning, type ProcessIdentity, signalProcess } from '@board/service';
import type { Instance } from '../instance/instance.ts';
import { type ChildProcess, readState } from './stack-state.ts';

/** Groups that are stopped one after the other: the highest layer first. */
export function stopOrder<T extends { readonly layer: number }>(items: readonly T[]): T[][] {
  const layers = [...new Set(items.map(({ layer }) => layer))].toSorted((a, b) => b - a);
  return layers.map((layer) => items.filter((item) => item.layer === layer));
}

/**
 * What a killed launcher of this instance left running: a process is known by pid, start time and
 * boot.
 */
export function findOrphans(instance: Instance): ChildProcess[] {
  return readState(instance)?.children.filter(isRunning) ?? [];
}

/**
 * Stops them and returns their names. Call it with the instance's lock held, before a new start
 * writes its own state.
 */
export async function stopOrphans(
  instance: Instance,
  say: (line: string) => void,
  timeoutMs = 20_000,
): Promise<string[]> {
  const orphans = findOrphans(instance);
  for (const group of stopOrder(orphans)) {
    await Promise.all(
      group.map((orphan) => {
        say(`${orphan.name} (pid ${orphan.pid}) was left behind by an earlier start: stopping it`);
        return stopProcess(orphan, timeoutMs);
      }),
    );
  }
  return orphans.map(({ name }) => name);
}

/**
 * SIGTERM, then SIGKILL after the deadline; resolves when the process is gone. Says whether the
 * kill was needed.
 */
export async function stopProcess(
  identity: ProcessIdentity,
  timeoutMs: number,
): Promise<'stopped' | 'killed'> {
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
