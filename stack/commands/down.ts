import { tryLock } from '../instance/hold-lock.ts';
import { locateInstance } from '../instance/instance.ts';
import { stopOrphans } from '../run/stop-orphans.ts';
import { stopSupervisor } from './stop-supervisor.ts';

/** Stops the stack of an instance, also one whose supervisor was killed; nothing to stop is fine too. */
export async function down(name: string): Promise<void> {
  const instance = locateInstance(name);
  const stopped = await stopSupervisor(instance);
  const lock = await tryLock(instance.folder);
  if (lock === undefined) {
    throw new Error(`The stack "${name}" is just starting or stopping in another process: try again.`);
  }
  const orphans = await stopOrphans(instance, (line) => console.log(line));
  await lock.release();
  console.log(stopped || orphans.length > 0 ? `The stack "${name}" is stopped.` : `The stack "${name}" does not run.`);
}
