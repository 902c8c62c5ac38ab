import { setTimeout as delay } from 'node:timers/promises';
import { namesOutbox, readRefusedDdl, type ConnectApi } from '@board/relay';

/** The keeper restarts what has failed, and for a moment it looks as if all were well. */
const patienceMs = 10_000;

/** The statement at which the connector stands; undefined when it stands at none. */
export async function findRefusedDdl(
  connect: Pick<ConnectApi, 'getStatus'>,
  connector: string,
  waitMs = patienceMs,
): Promise<string | undefined> {
  for (const deadline = performance.now() + waitMs; ; await delay(200)) {
    const statement = await readRefusedDdl(connect, connector);
    if (statement !== undefined || performance.now() >= deadline) return statement;
  }
}

/**
 * After a change of the outbox that it has not seen the connector would put values under the wrong
 * columns.
 */
export function assertPassable(statement: string, isOfOtherDatabase: boolean): void {
  if (isOfOtherDatabase || !namesOutbox(statement)) return;
  throw new Error(
    'This statement may have changed the outbox, and the connector must not go on without knowing how. ' +
      'If it was run in another database, say --other-database. Else have the table read again: docs/runbook.md, ' +
      `"A refused statement".\n\n${statement}`,
  );
}
