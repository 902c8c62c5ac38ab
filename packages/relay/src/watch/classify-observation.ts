import { findBeside, type Finding, type Seen, type Incident } from '../memory/relay-memory.ts';
import type { RelayObservation } from './observe-relay.ts';

/**
 * What this look finds that no earlier one has; undefined when all is as it should be, or known
 * already.
 *
 * `open` means: the position is from the server's present life, so a fence may believe it; whether
 * all was shipped before, the audit must say.
 */
export function classifyObservation(
  before: Seen | undefined,
  look: RelayObservation,
  known: Incident | undefined,
): Finding | undefined {
  const rebuilt = before === undefined ? undefined : describeRebuilt(before, look);
  const lost = describeLostHistory(before, look);
  const isStrange = look.relayed !== '' && !look.known;
  const wasBlocked = known?.fence === 'blocked';
  const held = known?.held && { held: known.held };

  if (isStrange && !wasBlocked) {
    const strange =
      'the connector names transactions that the server does not have: its GTIDs were reset, or a backup was restored';
    return findBeside(known, { reason: lost ?? strange, fence: 'blocked', ...held });
  }
  if (isStrange) return undefined;
  // A position that was rebuilt is one of the server's present life, whatever the old one was, and
  // its columns are the table's.
  if (rebuilt !== undefined)
    return findBeside(known, {
      reason: lost === undefined ? rebuilt : `${lost}; ${rebuilt}`,
      fence: 'open',
    });
  if (lost !== undefined)
    return findBeside(known, {
      reason: lost,
      fence: look.relayed === '' ? 'open' : 'blocked',
      ...held,
    });
  return undefined;
}

function describeRebuilt(before: Seen, look: RelayObservation): string | undefined {
  if (before.relayed === '') return undefined;
  if (look.relayed === '' && look.position === '') return 'the connector has lost its position';
  if (look.snapshot && !before.snapshot)
    return 'the connector takes a new snapshot: its position was lost';
  if (!look.keepsPosition)
    return 'the connector has a new position that does not continue its old one';
  return undefined;
}

function describeLostHistory(before: Seen | undefined, look: RelayObservation): string | undefined {
  if (before === undefined) return undefined;
  if (!look.keepsHistory) {
    return look.serverUuid === before.serverUuid
      ? 'the server no longer has transactions that it once had executed: its GTIDs were reset, or a backup was restored'
      : 'another server stands in the place of the one before, without all of its transactions';
  }
  // GTIDs that were reset and have grown past the old set look complete; the names of the binlog
  // files do not.
  if (look.serverUuid === before.serverUuid && isEarlierFile(look.file, before.file)) {
    return `the connector reads ${look.file} after ${before.file}: the binlog has begun anew`;
  }
  return undefined;
}

function isEarlierFile(now: string | undefined, before: string | undefined): boolean {
  const [, base, number] = /^(.*)\.(\d+)$/.exec(now ?? '') ?? [];
  const [, baseBefore, numberBefore] = /^(.*)\.(\d+)$/.exec(before ?? '') ?? [];
  return base !== undefined && base === baseBefore && Number(number) < Number(numberBefore);
}
