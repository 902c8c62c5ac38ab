import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectApi } from './connect-api.ts';
import { ConnectError } from './connect-error.ts';

const endedWithinMs = 60_000;
const pollMs = 500;

/**
 * Has a connector forget its position and begin anew: it reads the shape of the outbox from the database, ships every row of it
 * again (consumers' marks remove the copies), and goes on with the binlog. Loses nothing, as no row leaves the outbox before
 * it was shipped.
 */
export async function rebuildPosition(
  connect: Pick<ConnectApi, 'stop' | 'deleteOffsets' | 'resume'>,
  connector: string,
): Promise<void> {
  await connect.stop(connector);
  try {
    await deleteOffsets(connect, connector);
  } finally {
    // Whatever became of the position: a connector that stays stopped ships nothing at all.
    await connect.resume(connector);
  }
}

/** Connect refuses with 400 until the connector has really ended. */
async function deleteOffsets(connect: Pick<ConnectApi, 'deleteOffsets'>, connector: string): Promise<void> {
  const deadline = performance.now() + endedWithinMs;
  for (;;) {
    try {
      return await connect.deleteOffsets(connector);
    } catch (error) {
      if (!(error instanceof ConnectError) || error.status !== 400 || performance.now() >= deadline) throw error;
    }
    await delay(pollMs);
  }
}
