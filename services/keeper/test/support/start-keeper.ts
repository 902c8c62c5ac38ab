import { fileURLToPath } from 'node:url';
import { spawnService, type SpawnedService } from '@board/test';
import { onTestFinished } from 'vitest';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface RunningKeeper extends Omit<SpawnedService, 'url'> {
  readonly url: string;
}

/**
 * Starts the real process on a free port and waits until it listens; it is killed when the test
 * ends.
 */
export async function startKeeper(env: Readonly<Record<string, string>>): Promise<RunningKeeper> {
  const keeper = spawnService(main, env);
  onTestFinished(async () => {
    keeper.kill();
    await keeper.ended;
  });
  return { ...keeper, url: await keeper.url() };
}
