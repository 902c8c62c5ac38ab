import { fileURLToPath } from 'node:url';
import { spawnService, type SpawnedService } from '@board/test';
import { onTestFinished } from 'vitest';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const killedMain = fileURLToPath(new URL('./main-killed-at.ts', import.meta.url));

export interface RunningService extends Omit<SpawnedService, 'url'> {
  readonly url: string;
}

/**
 * Starts the real process (`file` names another service's) on a free port and waits until it
 * listens; it is killed when the test ends.
 */
export async function startService(
  env: Readonly<Record<string, string>>,
  file = main,
  args: readonly string[] = [],
): Promise<RunningService> {
  const service = spawnService(file, env, args);
  onTestFinished(async () => {
    service.kill();
    await service.ended;
  });
  return { ...service, url: await service.url() };
}

/** Starts order-service so that SIGKILL ends it at the failpoint. */
export function startServiceKilledAt(
  failpoint: string,
  env: Readonly<Record<string, string>>,
): Promise<RunningService> {
  return startService(env, killedMain, [failpoint]);
}
