import type { Fact } from './fact.ts';

/** What the topic must have of a board, by what is known without it. */
export interface ExpectedRecords {
  /** Told of each record; `enough` once everything that is expected was met. */
  meet(record: { readonly version: number; readonly eventId: string }): 'enough' | 'more';
}

/**
 * Every event that is named, and for a version whose own event is not named a record that is none
 * of those: that of a forged event, known by its dead letter alone, does not stand for the genuine
 * one.
 */
export function expectRecords(version: number, facts: readonly Fact[]): ExpectedRecords {
  const named = new Set(facts.flatMap(({ eventId }) => eventId ?? []));
  const settled = new Set(facts.filter(isOwn).map((fact) => fact.version));
  const missing = new Set(named);
  const nameless = new Set(range(version).filter((one) => !settled.has(one)));
  return {
    meet(record) {
      if (named.has(record.eventId)) missing.delete(record.eventId);
      else nameless.delete(record.version);
      return missing.size === 0 && nameless.size === 0 ? 'enough' : 'more';
    },
  };
}

/**
 * It names the event that the version is: order-service says so (the outbox with the time of the
 * change), or the mark has passed it.
 */
function isOwn({ eventId, step }: Fact): boolean {
  return eventId !== undefined && ['changed', 'committed', 'applied'].includes(step.kind);
}

function range(to: number): number[] {
  return Array.from({ length: to }, (_, index) => index + 1);
}
