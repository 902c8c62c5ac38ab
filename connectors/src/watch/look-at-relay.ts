import type { ConnectApi } from '../connect-api.ts';
import type { RunSql } from '../fence.ts';
import type { Seen } from '../memory/relay-memory.ts';

/** The server and the connector's position now, compared with how they were before. */
export interface Look extends Omit<Seen, 'at'> {
  /** Changes with everything that the connector acknowledges; empty without a position. */
  readonly position: string;
  /** The server still has all that it once had executed. */
  readonly keepsHistory: boolean;
  /** The position still names all that it once named. */
  readonly keepsPosition: boolean;
  /** The server has all that the position names. */
  readonly known: boolean;
  /** Executed and not yet in the position. */
  readonly behind: string;
}

/** Connect is asked BEFORE the server: only then must the server know every transaction that the offset names. */
export async function lookAtRelay(
  connect: Pick<ConnectApi, 'getOffsets'>,
  mysql: RunSql,
  connector: string,
  before: Pick<Seen, 'executed' | 'relayed'> = { executed: '', relayed: '' },
): Promise<Look> {
  const [offset] = ((await connect.getOffsets(connector)) ?? [])
    .map((entry) => entry.offset)
    .filter((one) => one !== null);
  const relayed = offset?.gtids ?? '';
  const [row] = (await mysql(
    `SELECT @@GLOBAL.server_uuid AS serverUuid, @@GLOBAL.gtid_executed AS executed,
       GTID_SUBSET(?, @@GLOBAL.gtid_executed) AS keepsHistory, GTID_SUBSET(?, ?) AS keepsPosition,
       GTID_SUBSET(?, @@GLOBAL.gtid_executed) AS known, GTID_SUBTRACT(@@GLOBAL.gtid_executed, ?) AS behind`,
    [before.executed, before.relayed, relayed, relayed, relayed],
  )) as readonly Row[];
  if (row === undefined) throw new Error('a statement without a table always has one row');
  return {
    serverUuid: row.serverUuid,
    executed: row.executed,
    relayed,
    ...(offset?.file !== undefined && { file: offset.file }),
    snapshot: offset?.snapshot !== undefined,
    position: offset === undefined ? '' : JSON.stringify(offset),
    keepsHistory: row.keepsHistory === 1,
    keepsPosition: row.keepsPosition === 1,
    known: row.known === 1,
    behind: row.behind,
  };
}

interface Row {
  readonly serverUuid: string;
  readonly executed: string;
  readonly keepsHistory: number;
  readonly keepsPosition: number;
  readonly known: number;
  readonly behind: string;
}
