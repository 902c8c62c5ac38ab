import { isWatched, findOpenIncident, type RelayMemory, type RelayMemoryStore } from '@board/relay';
import type { AuditReport } from '@board/inbox';

/** Whether the relay was watched while the boards were written. */
export function noteKeeper(memory: RelayMemory | undefined): string[] {
  const blind =
    'GTIDs that were reset and have grown past the old ones would not have been noticed';
  if (memory?.seen === undefined) return [`No keeper has looked at the connector yet: ${blind}.`];
  return isWatched(memory, new Date())
    ? []
    : [`The keeper has not looked since ${memory.seen.at}: ${blind}.`];
}

/**
 * A whole audit that finds every consumer clean settles what the keeper suspected before it began;
 * says what became of it.
 */
export async function closeIncident(
  memory: RelayMemoryStore,
  remembered: RelayMemory = {},
  reports: readonly AuditReport[],
  isWhole: boolean,
): Promise<string[]> {
  const open = findOpenIncident(remembered);
  if (open === undefined) return [];
  if (!isWhole) return [`Not settled, as not every consumer was audited: ${open.reason}.`];
  if (reports.some(({ outcome }) => outcome !== 'clean')) return [`Not settled: ${open.reason}.`];
  const compared = reports.reduce((sum, report) => sum + report.compared, 0);
  const at = new Date().toISOString();
  await memory.remember({
    closure: { suspicion: open.id, at, by: 'audit', reason: `clean, ${compared} compared` },
  });
  return [`Settled by this audit: ${open.reason}.`];
}
