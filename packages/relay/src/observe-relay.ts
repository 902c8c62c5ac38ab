import type { ConnectApi } from '../connect-api.ts';
import type { RunSql } from '../fence.ts';
import type { Seen } from '../memory/relay-memory.ts';

/** The server and the connector's position now, compared with how they were before. */
export interface RelayObservation extends Omit<Seen, 'at'> {
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

/**
 * Connect is asked BEFORE the server: only then must the server know every transaction that the
 * offset names.
 */
export async function observeRelay(
  connect: Pick<ConnectApi, 'getOffsets'>,
  mysql: RunSql,
  connector: string,
  before: Omit<Seen, 'at' | 'serverUuid'> = { executed: '', relayed: '', snapshot: false },
): Promise<RelayObservation> {
  const offsets = await connect.getOffsets(connector);
  const [offset] = (offsets ?? []).map((entry) => entry.offset).filter((one) => one !== null);
  // Offsets outlive their connector: one that is not registered has the position that it had.
  const { relayed, file, snapshot } =
    offsets === undefined
      ? before
      : {
          relayed: offset?.gtids ?? '',
          file: offset?.file,
          snapshot: offset?.snapshot !== undefined,
        };
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
    ...(file !== undefined && { file }),
    snapshot,
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
