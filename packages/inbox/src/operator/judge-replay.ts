import type { Letter } from './letter.ts';

export type ReplayVerdict =
  | 'replay'
  /** The mark has passed it: sending it again would change nothing. */
  | 'superseded'
  /** Sent before, and nothing has failed since. */
  | 'in-flight'
  /** Dismissed. */
  | 'closed'
  | 'no-identity'
  | 'conflict';

type Facts = Pick<Letter, 'reason' | 'version' | 'markVersion' | 'skippedBy' | 'closedAt' | 'isReplayPending'>;

/** Whether sending a letter back can do anything, from the index and the mark alone; `again` overrules what was done before. */
export function judgeReplay(letter: Facts, again: boolean): ReplayVerdict {
  if (letter.reason === 'conflict') return 'conflict';
  if (letter.reason === 'no-identity' || letter.version === null) return 'no-identity';
  if (letter.markVersion > letter.version) return 'superseded';
  // At the mark itself only what the policy passed over may still be applied; a skip by hand is final.
  if (letter.markVersion === letter.version && letter.skippedBy !== 'policy') return 'superseded';
  if (again) return 'replay';
  if (letter.closedAt !== null) return 'closed';
  return letter.isReplayPending ? 'in-flight' : 'replay';
}
