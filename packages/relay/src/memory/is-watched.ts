import type { RelayMemory } from './relay-memory.ts';

/** The keeper writes at least every 20 s. */
const silenceMs = 60_000;

/**
 * Whether a keeper has looked at the relay lately; a time from the future (a clock that was set
 * back since) is not lately.
 */
export function isWatched({ seen }: RelayMemory, now: Date): boolean {
  return seen !== undefined && Math.abs(now.getTime() - Date.parse(seen.at)) <= silenceMs;
}
