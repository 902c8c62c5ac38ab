import type { Instance } from '../instance/instance.ts';
import { isRunning, signalProcess } from '../instance/process-identity.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { readLiveState } from '../run/stack-state.ts';

/** Asks the instance's supervisor to stop everything and waits until it is gone; says whether there was one. */
export async function stopSupervisor(instance: Instance): Promise<boolean> {
  const supervisor = readLiveState(instance)?.supervisor;
  if (supervisor === undefined || !signalProcess(supervisor, 'SIGTERM')) return false;
  // No deadline: every server has one of its own.
  while (isRunning(supervisor)) await delay(100);
  return true;
}
