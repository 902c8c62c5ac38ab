import type { ConnectApi } from './connect-api.ts';
import { keepTrying } from './connect-request.ts';

/**
 * Deletes a connector's position and starts it anew: it reads the columns of the outbox from the
 * database, ships every row again (consumers' marks remove the copies), and goes on with the
 * binlog. No row is lost, because none leaves the outbox before it was shipped. Each step is
 * repeated for `patienceMs`, a minute when not given; the last failure is thrown.
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
    // It may have been stopped because of this position or its columns: it must not be resumed.
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
