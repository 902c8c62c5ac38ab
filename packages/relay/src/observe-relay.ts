import type { ConnectApi } from './connect-api.ts';
import type { GtidSet, RunSql } from './fence.ts';
import { mergeFinding, type Finding, type Incident, type Seen } from './relay-memory.ts';

/** The server and the connector's position now, compared with how they were before. */
export interface RelayObservation extends Omit<Seen, 'at'> {
  /** Changes with everything that the connector acknowledges; empty without a position. */
  readonly position: string;
  /** The server still has all that it once had executed. */
  readonly keepsHistory: boolean;
  /** The position still names all that it once named. */
  readonly keepsPosition: boolean;
  /** The server has all that the position names. */
  readonly isKnownToServer: boolean;
  /** Executed and not yet in the position. */
  readonly behind: GtidSet;
}

interface Row {
  readonly serverUuid: string;
  readonly executed: string;
  readonly keepsHistory: number;
  readonly keepsPosition: number;
  readonly isKnownToServer: number;
  readonly behind: string;
}

/** Reads the position from Connect and compares it with the server and with `before`. */
export async function observeRelay(
  connect: Pick<ConnectApi, 'getOffsets'>,
  mysql: RunSql,
  connector: string,
  before: Omit<Seen, 'at' | 'serverUuid'> = { executed: '', relayed: '', snapshot: false },
): Promise<RelayObservation> {
  // Connect must be asked before the server: only then must the server know every transaction that
  // the offset names.
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
       GTID_SUBSET(?, @@GLOBAL.gtid_executed) AS isKnownToServer,
       GTID_SUBTRACT(@@GLOBAL.gtid_executed, ?) AS behind`,
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
    isKnownToServer: row.isKnownToServer === 1,
    behind: row.behind,
  };
}

/**
 * What this observation shows that no earlier one has; undefined when all is as it should be, or
 * known already.
 *
 * A finding with the fence `open`: the position names transactions of the server as it is now, so
 * it can prove a fence; whether all was shipped before, the audit must say.
 */
export function classifyObservation(
  before: Seen | undefined,
  observation: RelayObservation,
  openIncident: Incident | undefined,
): Finding | undefined {
  const rebuilt = before === undefined ? undefined : describeRebuilt(before, observation);
  const lost = describeLostHistory(before, observation);
  const isForeign = observation.relayed !== '' && !observation.isKnownToServer;
  const held = openIncident?.held && { held: openIncident.held };

  if (isForeign) {
    if (openIncident?.fence === 'blocked') return undefined;
    const foreign =
      'the connector names transactions that the server does not have: its GTIDs were reset, or a backup was restored';
    return mergeFinding(openIncident, { reason: lost ?? foreign, fence: 'blocked', ...held });
  }
  // A position that was rebuilt names transactions of the server as it is now, whatever the old one
  // named, and its columns are the table's.
  if (rebuilt !== undefined)
    return mergeFinding(openIncident, {
      reason: lost === undefined ? rebuilt : `${lost}; ${rebuilt}`,
      fence: 'open',
    });
  if (lost !== undefined)
    return mergeFinding(openIncident, {
      reason: lost,
      fence: observation.relayed === '' ? 'open' : 'blocked',
      ...held,
    });
  return undefined;
}

function describeRebuilt(before: Seen, now: RelayObservation): string | undefined {
  if (before.relayed === '') return undefined;
  if (now.relayed === '' && now.position === '') return 'the connector has lost its position';
  if (now.snapshot && !before.snapshot)
    return 'the connector takes a new snapshot: its position was lost';
  if (!now.keepsPosition)
    return 'the connector has a new position that does not continue its old one';
  return undefined;
}

function describeLostHistory(before: Seen | undefined, now: RelayObservation): string | undefined {
  if (before === undefined) return undefined;
  if (!now.keepsHistory) {
    return now.serverUuid === before.serverUuid
      ? 'the server no longer has transactions that it once had executed: its GTIDs were reset, or a backup was restored'
      : 'another server stands in the place of the one before, without all of its transactions';
  }
  // GTIDs that were reset and have grown past the old set look complete; the names of the binlog
  // files do not.
  if (now.serverUuid === before.serverUuid && isEarlierFile(now.file, before.file)) {
    return `the connector reads ${now.file} after ${before.file}: the binlog has begun anew`;
  }
  return undefined;
}

function isEarlierFile(now: string | undefined, before: string | undefined): boolean {
  const [, base, number] = /^(.*)\.(\d+)$/.exec(now ?? '') ?? [];
  const [, baseBefore, numberBefore] = /^(.*)\.(\d+)$/.exec(before ?? '') ?? [];
  return base !== undefined && base === baseBefore && Number(number) < Number(numberBefore);
}

/** Counts the transactions of a set. */
export function countTransactions(gtids: GtidSet): number {
  return gtids
    .split(/[,:\s]+/)
    .map((part) => /^(\d+)(?:-(\d+))?$/.exec(part))
    .reduce(
      (sum, match) =>
        sum + (match === null ? 0 : Number(match[2] ?? match[1]) - Number(match[1]) + 1),
      0,
    );
}
