import type { ConnectApi } from './connect-api.ts';
import { waitUntilShipped, type FenceWait } from './fence.ts';
import type { FenceResult } from './classify-fence.ts';

export interface OutboxWait extends Omit<FenceWait, 'gtid'> {
  readonly connect: Pick<ConnectApi, 'getOffsets' | 'getConfig'>;
}

/**
 * Waits until Kafka has acknowledged all that was committed before the call to the outbox of the
 * database that `mysql` uses.
 */
export async function waitUntilOutboxShipped(wait: OutboxWait): Promise<FenceResult> {
  const doubt = await findOtherTable(wait);
  return doubt === undefined ? waitUntilShipped(wait) : { cannotTell: doubt };
}

/**
 * Why the connector is not the relay of the outbox that `mysql` uses. Nothing else shows it: a
 * position names the transactions of the whole server, also those of tables that the connector
 * passes over.
 */
export async function findOtherTable({
  connect,
  mysql,
  connector,
}: Pick<OutboxWait, 'mysql' | 'connector'> & { connect: Pick<ConnectApi, 'getConfig'> }): Promise<
  string | undefined
> {
  const [row] = (await mysql("SELECT CONCAT(DATABASE(), '.outbox') AS outbox")) as readonly {
    outbox: string;
  }[];
  try {
    const tables = (await connect.getConfig(connector))?.['table.include.list'];
    if (tables === undefined)
      return `the connector ${connector} is not registered, or for no table in particular`;
    const isRelayed = tables.split(',').some((table) => table.trim() === row?.outbox);
    return isRelayed
      ? undefined
      : `the connector ${connector} relays ${tables}, not ${row?.outbox}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
