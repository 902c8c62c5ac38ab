import { isWatched } from './is-watched.ts';
import { findOpenIncident, type RelayMemoryStore } from './relay-memory.ts';

/**
 * Why a fence must not be believed, from what the keeper remembers.
 *
 * The audit is stopped only by a position from another life of the server; it is the one who
 * settles every other suspicion. The purge is stopped by all of them, and when the relay is not
 * watched: it would take away the rows that are needed to repair what the audit finds.
 */
export function findBlockingIncident(
  memory: RelayMemoryStore,
  whose: 'audit' | 'purge',
): () => Promise<string | undefined> {
  return async () => {
    const remembered = (await memory.read()) ?? {};
    const open = findOpenIncident(remembered);
    if (whose === 'audit')
      return open?.fence === 'blocked'
        ? `the position of the connector belongs to another life of the server: ${open.reason}`
        : undefined;
    if (open !== undefined) return `the relay is under suspicion since ${open.at}: ${open.reason}`;
    if (isWatched(remembered, new Date())) return undefined;
    const last = remembered.seen === undefined ? '' : ` since ${remembered.seen.at}`;
    return `no keeper has looked at the connector${last}, so a server that began anew may have passed for the old one: start the keeper`;
  };
}
