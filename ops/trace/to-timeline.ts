import type { Fact, Step } from './fact.ts';
import type { TracedBoard } from './read-order-side.ts';

export type Outcome =
  | 'applied'
  | 'skipped'
  | 'dead letter'
  | 'dismissed'
  | 'parked'
  | 'in retry'
  | 'in topic'
  /** The connector has not shipped it, or the record is gone. */
  | 'not in topic';

export type TimedStep = Step & {
  /** ISO 8601. */
  readonly at: string;
  /** Since the step before, milliseconds. */
  readonly afterMs: number;
};

export interface TracedEvent {
  readonly version: number;
  readonly eventId: string | undefined;
  readonly eventType: string | undefined;
  readonly traceparent: string | undefined;
  readonly outcome: Outcome;
  readonly steps: readonly TimedStep[];
  /** From the first step to the last, milliseconds. */
  readonly totalMs: number;
  /** What must have happened, and nothing that was looked at says when. */
  readonly notFound: readonly ('request' | 'commit' | 'record' | 'applied')[];
}

export interface Timeline {
  readonly boardId: string;
  /** Undefined: order-service has no such board. */
  readonly version: number | undefined;
  readonly deletedAt: string | undefined;
  readonly mark: number;
  readonly events: readonly TracedEvent[];
}

export interface Known {
  readonly boardId: string;
  readonly board: TracedBoard | undefined;
  readonly mark: number;
  readonly facts: readonly Fact[];
  /** Earlier facts, and events without later ones, are left out. */
  readonly sinceMs?: number | undefined;
}

/** Puts what all sources know into one story for each event, in the order of the versions. */
export function toTimeline({ boardId, board, mark, facts, sinceMs }: Known): Timeline {
  const byEvent = groupByEvent(facts.filter(({ atMs }) => sinceMs === undefined || atMs >= sinceMs));
  const versions = new Set(byEvent.map(({ version }) => version));
  const last = sinceMs === undefined ? Math.max(board?.version ?? 0, mark) : 0;
  const silent = Array.from({ length: last }, (_, index) => index + 1).filter((version) => !versions.has(version));
  const events = [...byEvent, ...silent.map((version) => ({ version, facts: [] }))];
  return {
    boardId,
    version: board?.version,
    deletedAt: board?.deletedAtMs === undefined ? undefined : new Date(board.deletedAtMs).toISOString(),
    mark,
    events: events.sort((a, b) => a.version - b.version).map((event) => traceEvent(event, mark)),
  };
}

interface EventFacts {
  readonly version: number;
  readonly facts: readonly Fact[];
}

/** Two events may claim one version (a conflict); what names no event belongs to the first that does. */
function groupByEvent(facts: readonly Fact[]): EventFacts[] {
  return [...Map.groupBy(facts, ({ version }) => version)].flatMap(([version, ofVersion]) => {
    const ids = [...new Set(ofVersion.flatMap(({ eventId }) => eventId ?? []))];
    if (ids.length === 0) return [{ version, facts: ofVersion }];
    return ids.map((id) => ({
      version,
      facts: ofVersion.filter(({ eventId }) => (eventId ?? ids[0]) === id),
    }));
  });
}

function traceEvent({ version, facts }: EventFacts, mark: number): TracedEvent {
  const inOrder = withoutRepeats(facts).sort((a, b) => a.atMs - b.atMs || order(a) - order(b));
  const outcome = findOutcome(version, mark, inOrder, facts);
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

function firstOf(facts: readonly Fact[], name: 'eventId' | 'eventType' | 'traceparent'): string | undefined {
  return facts.find((one) => one[name] !== undefined)?.[name];
}

/** At equal times the way of an event through the pipeline decides. */
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

/** The database repeats what the logs say, with less; a line may be read twice. */
function withoutRepeats(facts: readonly Fact[]): Fact[] {
  const isLogged = (kind: Step['kind']): boolean => facts.some(({ step }) => step.kind === kind && 'by' in step);
  const seen = new Set<string>();
  return facts.filter(({ atMs, step }) => {
    if (step.kind === 'changed' && isLogged('committed')) return false;
    if (step.kind === 'parked' && step.by === undefined && isLogged('parked')) return false;
    if (step.kind === 'dead letter' && step.by === undefined && facts.some(isLoggedLetter(step.dlqOffset)))
      return false;
    const key = step.kind === 'changed' ? step.kind : `${atMs} ${JSON.stringify(step)}`;
    return !seen.has(key) && seen.add(key);
  });
}

function isLoggedLetter(dlqOffset: string): (fact: Fact) => boolean {
  return ({ step }) => step.kind === 'dead letter' && step.by !== undefined && step.dlqOffset === dlqOffset;
}

function findOutcome(version: number, mark: number, inOrder: readonly Fact[], facts: readonly Fact[]): Outcome {
  const steps = inOrder.map(({ step }) => step);
  const has = (kind: Step['kind']): boolean => steps.some((step) => step.kind === kind);
  const isRival = !has('applied') && steps.some((step) => step.kind === 'dead letter' && step.reason === 'conflict');
  if (version <= mark && !isRival) return has('skipped') ? 'skipped' : 'applied';
  const lastTurn = steps.findLast(({ kind }) => kind === 'dead letter' || kind === 'replayed' || kind === 'closed');
  if (lastTurn?.kind === 'dead letter') return 'dead letter';
  if (lastTurn?.kind === 'closed') return 'dismissed';
  // Only its row says that it is parked still.
  if (facts.some(({ step }) => step.kind === 'parked' && step.by === undefined)) return 'parked';
  if (lastTurn?.kind === 'replayed' || has('failed') || has('postponed')) return 'in retry';
  return has('in topic') ? 'in topic' : 'not in topic';
}
