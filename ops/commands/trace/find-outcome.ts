import type { Fact, Step } from './fact.ts';

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
 * What became of an event: by its facts, and by those of each other event that claims its version.
 */
export function findOutcome(
  version: number,
  mark: number,
  facts: readonly Fact[],
  rivals: readonly (readonly Fact[])[],
): Outcome {
  if (version > mark) return beforeMark(facts);
  const own = claim(facts);
  const best = Math.max(...rivals.map(claim), claims.none);
  // The mark has passed the version, and nothing else is known that could have moved it.
  const isHolder = rivals.length === 0 ? !isConflict(facts) : own > best || own === claims.proven;
  if (isHolder) return has(facts, 'skipped') ? 'skipped' : 'applied';
  return own === best && own > claims.none ? 'disputed' : besidesMark(facts);
}

/** How well an event can claim that it is the one of its version that the mark has passed. */
const claims = { none: 0, deadLetterClosed: 1, noDeadLetter: 2, proven: 3 } as const;

function claim(facts: readonly Fact[]): number {
  if (isConflict(facts)) return claims.none;
  if (has(facts, 'applied') || has(facts, 'skipped')) return claims.proven;
  const turn = lastTurn(facts);
  if (turn === undefined) return claims.noDeadLetter;
  return turn.kind === 'closed' && turn.how !== 'dismissed' ? claims.deadLetterClosed : claims.none;
}

/** Closed by hand, and nothing has come of it since. */
export function isDismissed(facts: readonly Fact[]): boolean {
  const turn = lastTurn(facts);
  return (
    turn?.kind === 'closed' &&
    turn.how === 'dismissed' &&
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
  const turn = lastTurn(facts);
  if (turn?.kind === 'dead letter') return 'dead letter';
  if (turn?.kind === 'closed') return 'dismissed';
  // Only its row says that it is parked still.
  if (facts.some(({ step }) => step.kind === 'parked' && step.by === undefined)) return 'parked';
  if (turn?.kind === 'replayed' || has(facts, 'failed') || has(facts, 'postponed'))
    return 'in retry';
  return has(facts, 'in topic') ? 'in topic' : 'not in topic';
}

/** Another event has its place. */
function besidesMark(facts: readonly Fact[]): Outcome {
  const turn = lastTurn(facts);
  if (turn?.kind === 'dead letter') return 'dead letter';
  if (turn?.kind === 'replayed') return 'in retry';
  // Whoever closes dead letters by the mark alone calls such a one applied.
  return turn?.how === 'dismissed' ? 'dismissed' : 'superseded';
}

type Turn = Extract<Step, { kind: 'dead letter' | 'replayed' | 'closed' }>;

/** What its dead letter has come to; undefined when it never was one. */
function lastTurn(facts: readonly Fact[]): Turn | undefined {
  return facts.map(({ step }) => step).findLast((step) => isTurn(step));
}

function isTurn(step: Step): step is Turn {
  return step.kind === 'dead letter' || step.kind === 'replayed' || step.kind === 'closed';
}

function has(facts: readonly Fact[], kind: Step['kind']): boolean {
  return facts.some(({ step }) => step.kind === kind);
}
