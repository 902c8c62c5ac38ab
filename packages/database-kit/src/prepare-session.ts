import type { QueryRunner } from 'typeorm';
import { sessionSettings } from './session-settings.ts';

const prepared = new WeakSet<object>();

/** Sets up a pooled connection, once: see `sessionSettings`. */
export async function prepareSession(runner: QueryRunner, lockWaitSeconds = 4): Promise<void> {
  const connection = (await runner.connect()) as object;
  if (prepared.has(connection)) return;
  await runner.query(sessionSettings, [lockWaitSeconds]);
  prepared.add(connection);
}
