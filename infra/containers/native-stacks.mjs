import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The native stacks of this checkout that run, each with the ports that its programs listen on. */
export function findNativeStacks(checkout) {
  const folder = join(checkout, '.stack');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const file = join(folder, name, 'run/state.json');
    if (!existsSync(file)) return [];
    const { phase, supervisor, processes } = JSON.parse(readFileSync(file, 'utf8'));
    if (phase === 'stopped' || !isAlive(supervisor.pid)) return [];
    return [
      { name, ports: processes.map(({ address }) => Number(/:(\d+)(?:\/|$)/.exec(address)?.[1])) },
    ];
  });
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process lives too.
    return error.code === 'EPERM';
  }
}
