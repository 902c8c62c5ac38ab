import { setTimeout as delay } from 'node:timers/promises';
import { isRunning, signalProcess, type ProcessIdentity } from '../instance/process-identity.ts';

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
