import type { Identity } from './identity.ts';

/** How far a consumer has come with one aggregate: the highest version applied, and that event's id. */
export interface Mark {
  /** 0 before the first event. */
  readonly version: number;
  readonly eventId: string;
}

export type Decision = 'apply' | 'duplicate' | 'park' | 'conflict';

/** What to do with an event, from its identity and the mark of its aggregate alone. */
export function decide(mark: Mark, event: Identity): Decision {
  if (event.version === mark.version && event.eventId !== mark.eventId) return 'conflict';
  if (event.version <= mark.version) return 'duplicate';
  return event.version === mark.version + 1 ? 'apply' : 'park';
}
