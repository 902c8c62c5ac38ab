import type { RelayMemory } from './relay-memory.ts';

/** The keeper writes at least every 20 s. */
const silenceMs = 60_000;

/** Whether a keeper has looked at the relay lately. */
export function isWatched({ seen }: RelayMemory, now: Date): boolean {
  return seen !== undefined && now.getTime() - Date.parse(seen.at) <= silenceMs;
}
