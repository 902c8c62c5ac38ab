import type { ConnectApi } from './connect-api.ts';
import { keepTrying } from './keep-trying.ts';

/**
 * Has a connector forget its position and begin anew: it reads the shape of the outbox from the
 * database, ships every row of it again (consumers' marks remove the copies), and goes on with the
 * binlog. Loses nothing, as no row leaves the outbox before it was shipped.
 */
export async function rebuildPosition(
  connect: Pick<ConnectApi, 'getStatus' | 'stop' | 'deleteOffsets' | 'resume'>,
  connector: string,
  patienceMs?: number,
): Promise<void> {
  const wasStopped = (await connect.getStatus(connector))?.connector.state === 'STOPPED';
  await connect.stop(connector);
  try {
    // Connect refuses until the connector has really ended.
    await keepTrying(() => connect.deleteOffsets(connector), patienceMs);
  } catch (cause) {
    // Not resumed with the position, and the idea of the columns, for which it may have been
    // stopped.
    if (wasStopped)
      throw new Error(
        `the position of ${connector} was not deleted, so it stays STOPPED as it was: try again`,
        {
          cause,
        },
      );
    await keepTrying(() => connect.resume(connector), patienceMs);
    throw cause;
  }
  await keepTrying(() => connect.resume(connector), patienceMs);
}
