import { findOutcome, isDismissed, type Fact, type Outcome, type Step } from './event-facts.ts';
import type { TracedAggregate } from './read-databases.ts';

/** A step with its time. */
export type TimedStep = Step & {
  /** ISO 8601. */
  readonly at: string;
  /** Since the step before, milliseconds. */
  readonly afterMs: number;
};

/** An event of the aggregate, its steps and its outcome. */
export interface TracedEvent {
  readonly version: number;
  readonly eventId: string | undefined;
  readonly eventType: string | undefined;
  readonly traceparent: string | undefined;
  readonly outcome: Outcome;
  readonly steps: readonly TimedStep[];
  /** From the first step to the last, milliseconds. */
  readonly totalMs: number;
  /** What must have happened without a fact that gives its time. */
  readonly notFound: readonly ('request' | 'commit' | 'record' | 'applied')[];
}

/** What `trace --json` prints for a consumer. */
export interface Timeline {
  readonly aggregateType: string;
  readonly aggregateId: string;
  /** The consumer's name. */
  readonly consumer: string;
  /** Undefined: its own service has no such aggregate. */
  readonly version: number | undefined;
  readonly deletedAt: string | undefined;
  readonly mark: number;
  /** False: the reading ended when every known event was met; later copies may exist. */
  readonly isTopicReadToEnd: boolean;
  readonly events: readonly TracedEvent[];
}

/** What logs, databases and topic know of an aggregate. */
export interface KnownFacts {
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly consumer: string;
  readonly source: TracedAggregate | undefined;
  readonly mark: number;
  readonly isTopicReadToEnd: boolean;
  readonly facts: readonly Fact[];
  /** Earlier facts, and events without later ones, are left out. */
  readonly sinceMs?: number | undefined;
}

/** Puts the facts of all sources in order, event by event, by version. */
export function toTimeline({
  aggregateType,
  aggregateId,
  consumer,
  source,
  mark,
  isTopicReadToEnd,
  facts,
  sinceMs = -Infinity,
}: KnownFacts): Timeline {
  const inOrder = facts.toSorted((a, b) => a.atMs - b.atMs || order(a) - order(b));
  const byVersion = Map.groupBy(inOrder, ({ version }) => version);
  if (sinceMs === -Infinity)
    for (let version = 1; version <= Math.max(source?.version ?? 0, mark); version += 1)
      if (!byVersion.has(version)) byVersion.set(version, []);
  const events = [...byVersion].flatMap(([version, ofVersion]) => {
    const claims = groupByEvent(ofVersion);
    // A dismissed event did not move the mark: another one did, of which no fact is left.
    if (version <= mark && claims.every(isDismissed)) claims.push([]);
    return claims.map((claim) => ({
      version,
      // From all facts, those before --since included.
      outcome: findOutcome(
        version,
        mark,
        claim,
        claims.filter((one) => one !== claim),
      ),
      facts: claim.filter(({ atMs }) => atMs >= sinceMs),
    }));
  });
  const shown = events.filter((event) => sinceMs === -Infinity || event.facts.length > 0);
  return {
    aggregateType,
    aggregateId,
    consumer,
    version: source?.version,
    deletedAt:
      source?.deletedAtMs === undefined ? undefined : new Date(source.deletedAtMs).toISOString(),
    mark,
    isTopicReadToEnd,
    events: shown.sort((a, b) => a.version - b.version).map(traceEvent),
  };
}

/**
 * Groups the facts of a version by event; a fact without an event id belongs to the first event.
 */
function groupByEvent(facts: readonly Fact[]): (readonly Fact[])[] {
  const ids = [...new Set(facts.flatMap(({ eventId }) => eventId ?? []))];
  if (ids.length === 0) return [facts];
  return ids.map((id) => facts.filter(({ eventId }) => (eventId ?? ids[0]) === id));
}

interface EventFacts {
  readonly version: number;
  readonly outcome: Outcome;
  readonly facts: readonly Fact[];
}

function traceEvent({ version, facts, outcome }: EventFacts): TracedEvent {
  const inOrder = withoutRepeats(facts);
  const has = (kind: Step['kind']): boolean => inOrder.some(({ step }) => step.kind === kind);
  const times = inOrder.map(({ atMs }) => atMs);
  return {
    version,
    eventId: firstOf(facts, 'eventId'),
    eventType: firstOf(facts, 'eventType'),
    traceparent: firstOf(facts, 'traceparent'),
    outcome,
    steps: inOrder.map(({ step, atMs }, index) => ({
      ...step,
      at: new Date(atMs).toISOString(),
      afterMs: Math.round(atMs - (times[index - 1] ?? atMs)),
    })),
    totalMs: Math.round((times.at(-1) ?? 0) - (times[0] ?? 0)),
    notFound: [
      ...(has('received') ? [] : (['request'] as const)),
      ...(has('committed') ? [] : (['commit'] as const)),
      ...(has('in topic') ? [] : (['record'] as const)),
      ...(outcome === 'applied' && !has('applied') ? (['applied'] as const) : []),
    ],
  };
}

function firstOf(
  facts: readonly Fact[],
  name: 'eventId' | 'eventType' | 'traceparent',
): string | undefined {
  return facts.find((one) => one[name] !== undefined)?.[name];
}

/** The order of steps with equal times. */
const kinds: readonly Step['kind'][] = [
  'received',
  'changed',
  'committed',
  'in topic',
  'parked',
  'failed',
  'postponed',
  'dead letter',
  'replayed',
  'skipped',
  'applied',
  'closed',
];

function order({ step }: Fact): number {
  return kinds.indexOf(step.kind);
}

/** Leaves out what the database repeats of the logs, and lines that were read twice. */
function withoutRepeats(facts: readonly Fact[]): Fact[] {
  const isLogged = (kind: Step['kind']): boolean =>
    facts.some(({ step }) => step.kind === kind && 'by' in step);
  const seen = new Set<string>();
  return facts.filter(({ atMs, step }) => {
    if (step.kind === 'changed' && isLogged('committed')) return false;
    if (step.kind === 'parked' && step.by === undefined && isLogged('parked')) return false;
    if (
      step.kind === 'dead letter' &&
      step.by === undefined &&
      facts.some(isLoggedDeadLetter(step.dlqOffset))
    )
      return false;
    const key = step.kind === 'changed' ? step.kind : `${atMs} ${JSON.stringify(step)}`;
    return !seen.has(key) && seen.add(key);
  });
}

function isLoggedDeadLetter(dlqOffset: string): (fact: Fact) => boolean {
  return ({ step }) =>
    step.kind === 'dead letter' && step.by !== undefined && step.dlqOffset === dlqOffset;
}
