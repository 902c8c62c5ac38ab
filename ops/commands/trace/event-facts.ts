/** What happened to an event at one moment. */
export type Step =
  | { readonly kind: 'received'; readonly by: string; readonly requestId?: string }
  /** The time of the change, as the outbox row and the record carry it. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'committed'; readonly by: string }
  | {
      readonly kind: 'in topic';
      readonly topic: string;
      readonly partition: number;
      readonly offset: string;
    }
  | {
      readonly kind: 'failed';
      readonly by: string;
      readonly attempt: number;
      readonly tier: number;
      readonly error: string;
    }
  /** Failed for the last time while the circuit breaker was open: tried again without counting. */
  | {
      readonly kind: 'postponed';
      readonly by: string;
      readonly attempt: number;
      readonly error: string;
    }
  | { readonly kind: 'parked'; readonly by?: string }
  | {
      readonly kind: 'dead letter';
      readonly reason: string;
      readonly attempts: number;
      readonly error: string;
      readonly dlqOffset: string;
      readonly by?: string;
    }
  | { readonly kind: 'replayed' }
  | { readonly kind: 'closed'; readonly how: string }
  | { readonly kind: 'skipped'; readonly decidedBy: string; readonly reason: string }
  | { readonly kind: 'applied'; readonly by: string; readonly attempt: number };

/** What one source (log, database or topic) knows of one event of the aggregate. */
export interface Fact {
  readonly version: number;
  readonly eventId?: string | undefined;
  readonly eventType?: string | undefined;
  readonly traceparent?: string | undefined;
  /** Milliseconds since the epoch, by the clock of its source. */
  readonly atMs: number;
  readonly step: Step;
}

/** What became of an event. */
export type Outcome =
  | 'applied'
  | 'skipped'
  | 'dead letter'
  | 'dismissed'
  /** Never applied, because another event of its version was. */
  | 'superseded'
  /** One of several events of its version, and nothing says which of them was applied. */
  | 'disputed'
  | 'parked'
  | 'in retry'
  | 'in topic'
  /** The connector has not shipped it, or the record is gone. */
  | 'not in topic';

/**
 * Finds what became of an event from its facts and those of each other event that claims the same
 * version.
 */
export function findOutcome(
  version: number,
  mark: number,
  facts: readonly Fact[],
  competing: readonly (readonly Fact[])[],
): Outcome {
  if (version > mark) return beforeMark(facts);
  const own = claim(facts);
  const best = Math.max(...competing.map(claim), claims.none);
  // The mark has passed the version. Without competing events, only this one can have moved it.
  const isHolder =
    competing.length === 0 ? !isConflict(facts) : own > best || own === claims.proven;
  if (isHolder) return has(facts, 'skipped') ? 'skipped' : 'applied';
  return own === best && own > claims.none ? 'disputed' : besidesMark(facts);
}

/** How strongly the facts say that the mark has passed this event of the version. */
const claims = { none: 0, deadLetterClosed: 1, noDeadLetter: 2, proven: 3 } as const;

function claim(facts: readonly Fact[]): number {
  if (isConflict(facts)) return claims.none;
  if (has(facts, 'applied') || has(facts, 'skipped')) return claims.proven;
  const last = lastDeadLetterStep(facts);
  if (last === undefined) return claims.noDeadLetter;
  return last.kind === 'closed' && last.how !== 'dismissed' ? claims.deadLetterClosed : claims.none;
}

/** Its dead letter was dismissed, and it was neither applied nor skipped since. */
export function isDismissed(facts: readonly Fact[]): boolean {
  const last = lastDeadLetterStep(facts);
  return (
    last?.kind === 'closed' &&
    last.how === 'dismissed' &&
    !has(facts, 'applied') &&
    !has(facts, 'skipped')
  );
}

function isConflict(facts: readonly Fact[]): boolean {
  return (
    !has(facts, 'applied') &&
    facts.some(({ step }) => step.kind === 'dead letter' && step.reason === 'conflict')
  );
}

function beforeMark(facts: readonly Fact[]): Outcome {
  const last = lastDeadLetterStep(facts);
  if (last?.kind === 'dead letter') return 'dead letter';
  if (last?.kind === 'closed') return 'dismissed';
  // Only the row, which names no process, says that it is still parked.
  if (facts.some(({ step }) => step.kind === 'parked' && step.by === undefined)) return 'parked';
  if (last?.kind === 'replayed' || has(facts, 'failed') || has(facts, 'postponed'))
    return 'in retry';
  return has(facts, 'in topic') ? 'in topic' : 'not in topic';
}

/** The outcome of an event whose version the mark passed with another event. */
function besidesMark(facts: readonly Fact[]): Outcome {
  const last = lastDeadLetterStep(facts);
  if (last?.kind === 'dead letter') return 'dead letter';
  if (last?.kind === 'replayed') return 'in retry';
  // The inbox closes such a dead letter as applied, because it compares the mark alone.
  return last?.how === 'dismissed' ? 'dismissed' : 'superseded';
}

type DeadLetterStep = Extract<Step, { kind: 'dead letter' | 'replayed' | 'closed' }>;

/** The last step of its dead letter; undefined when it never was one. */
function lastDeadLetterStep(facts: readonly Fact[]): DeadLetterStep | undefined {
  return facts.map(({ step }) => step).findLast((step) => isDeadLetterStep(step));
}

function isDeadLetterStep(step: Step): step is DeadLetterStep {
  return step.kind === 'dead letter' || step.kind === 'replayed' || step.kind === 'closed';
}

function has(facts: readonly Fact[], kind: Step['kind']): boolean {
  return facts.some(({ step }) => step.kind === kind);
}
