import { openSuspicion, type RelayMemoryStore } from './relay-memory.ts';

/**
 * Why a fence must not be believed, from what the keeper remembers.
 *
 * The audit is stopped only by a position from another life of the server; it is the one who settles every other suspicion. The
 * purge is stopped by all of them: it would take away the rows that are needed to mend what the audit finds.
 */
export function distrust(memory: RelayMemoryStore, whose: 'audit' | 'purge'): () => Promise<string | undefined> {
  return async () => {
    const open = openSuspicion((await memory.read()) ?? {});
    if (open === undefined || (whose === 'audit' && open.fence === 'open')) return undefined;
    return whose === 'audit'
      ? `the position of the connector belongs to another life of the server: ${open.reason}`
      : `the relay is under suspicion since ${open.at}: ${open.reason}`;
  };
}
