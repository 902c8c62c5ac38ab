import {
  type AuditReport,
  type Candidate,
  type ConsumerEntry,
  type ConsumerSide,
  type IdRange,
  type SourceSide,
  type Tally,
  type Verdict,
  classify,
  findCandidates,
  isEqual,
  openTally,
} from './compare.ts';

/**
 * Whether both groups have passed every event that was committed before; `reason`: why that is
 * not known.
 */
export type Barrier =
  { readonly kind: 'passed' } | { readonly kind: 'cannot-tell'; readonly reason: string };

/** What to compare, how to wait for it, and how much to keep. */
export interface AuditOptions extends AuditSides {
  /** Waits until both groups have passed every event that was committed before the call. */
  barrier(): Promise<Barrier>;
  /** Aggregates per hash; what is in memory at a time grows with it. */
  readonly chunkSize?: number;
  /** How many findings of each verdict are listed. */
  readonly listed?: number;
  /** What an operator's command needs to be about this consumer, with a space before it. */
  readonly consumerFlag?: string;
  /** Called after each chunk: aggregates compared so far, and candidates found among them. */
  readonly onProgress?: (compared: number, candidates: number) => void;
}

/** The report on a consumer that could not be asked. */
export function unaudited(reason: string): AuditReport {
  return openTally(0).report(reason);
}

/**
 * Compares every aggregate of the source with what the consumer has, while both go on changing.
 *
 * Ranges of ids are compared by one hash each; where it differs, entry by entry. What differs is
 * a candidate, and is classified only after the barrier: by then the consumer has had its chance to
 * apply all that was committed when the difference was seen.
 */
export async function auditConsumer(options: AuditOptions): Promise<AuditReport> {
  const {
    source,
    consumer,
    barrier,
    chunkSize = 5_000,
    listed = 20,
    consumerFlag,
    onProgress,
  } = options;
  const tally = openTally(listed, consumerFlag);
  let cannotTell: string | undefined;
  let candidates: Candidate[] = [];
  let compared = 0;
  let found = 0;

  async function resolve(): Promise<void> {
    if (cannotTell === undefined) {
      const result = await barrier();
      // One barrier that timed out is enough: each further one would cost the whole wait again.
      if (result.kind !== 'passed') cannotTell = result.reason;
    }
    await resolveCandidates(options, candidates, cannotTell === undefined, tally);
    candidates = [];
  }

  for (let after = ''; ;) {
    const upTo = lowest(
      await source.boundary(after, chunkSize),
      await consumer.boundary(after, chunkSize),
    );
    const range = await compareRange({ source, consumer }, { after, upTo });
    compared += range.count;
    found += range.candidates.length;
    tally.compared(range.count);
    candidates.push(...range.candidates);
    onProgress?.(compared, found);
    // Bounded: however much differs, memory holds the candidates of a few chunks.
    if (candidates.length >= chunkSize && upTo !== undefined) await resolve();
    if (upTo === undefined) break;
    after = upTo;
  }
  // Also when nothing differs: a relay that stands still is not "clean".
  await resolve();
  return tally.report(cannotTell);
}

async function compareRange(
  { source, consumer }: Pick<AuditOptions, 'source' | 'consumer'>,
  range: IdRange,
): Promise<{ count: number; candidates: Candidate[] }> {
  const digest = await source.digest(range);
  if (isEqual(digest, await consumer.digest(range))) return { count: digest.count, candidates: [] };
  const entries = await source.list(range);
  return { count: entries.length, candidates: findCandidates(entries, await consumer.list(range)) };
}

function lowest(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

/** An event by its place: `<aggregate id> <version>`. */
export type EventPlace = string;

export const placeOf = (aggregateId: string, version: number): EventPlace =>
  `${aggregateId} ${version}`;

/** The two sides of the comparison, and the topics between them. */
interface AuditSides {
  readonly source: SourceSide;
  readonly consumer: ConsumerSide;
  /** Which of these events are in the source or retry topics, unread by their groups. */
  findUnread(places: ReadonlySet<EventPlace>): Promise<ReadonlySet<EventPlace>>;
}

/** Classifies candidates, and counts those that are not in step. */
async function resolveCandidates(
  { source, consumer, findUnread }: AuditSides,
  candidates: readonly Candidate[],
  isBarrierPassed: boolean,
  tally: Tally,
): Promise<void> {
  if (candidates.length === 0) return;
  const noted = new Map(candidates.map((candidate) => [candidate.id, candidate.noted]));
  const ids = [...noted.keys()].sort();
  const consumed = await consumer.find(ids);
  // The source is read after the consumer: an aggregate that changes in between must not look
  // ahead.
  const current = new Map((await source.find(ids)).map((entry) => [entry.id, entry]));

  const verdictOf = (entry: ConsumerEntry, nextUnread: boolean): Verdict | 'in step' => {
    const { id } = entry;
    return classify({
      noted: noted.get(id),
      consumer: entry,
      source: current.get(id),
      nextUnread,
      isBarrierPassed,
    });
  };
  const first = consumed.map((entry) => ({ entry, verdict: verdictOf(entry, false) }));
  const lost = first.filter(({ verdict }) => verdict === 'LOST').map(({ entry }) => entry);
  const second = await classifyAgain({ consumer, findUnread }, lost, verdictOf);

  const verdicts = first.map(({ entry, verdict }) => ({
    entry,
    verdict: second.get(entry.id) ?? verdict,
  }));
  // What a bare dead letter stands for may be the very event.
  const maybeHeld =
    verdicts.some(({ verdict }) => verdict === 'LOST') && (await consumer.holdsUnnamed());
  for (const { entry, verdict } of verdicts) {
    const final = verdict === 'LOST' && maybeHeld ? 'cannot tell' : verdict;
    const version = current.get(entry.id)?.version ?? 0;
    if (final !== 'in step')
      tally.add({ id: entry.id, verdict: final, version, mark: entry.version });
  }
}

/**
 * Classifies once more what seems lost, now that the topics are searched for its next event.
 *
 * The database was asked before the topics and is asked again after them: an event that moves from
 * a parked row to a retry topic is seen by the first query, one that moves the other way by the
 * last.
 */
async function classifyAgain(
  { consumer, findUnread }: Pick<AuditSides, 'consumer' | 'findUnread'>,
  lost: readonly ConsumerEntry[],
  verdictOf: (entry: ConsumerEntry, nextUnread: boolean) => Verdict | 'in step',
): Promise<ReadonlyMap<string, Verdict | 'in step'>> {
  if (lost.length === 0) return new Map();
  const unread = await findUnread(new Set(lost.map(({ id, version }) => placeOf(id, version + 1))));
  const marks = new Map(lost.map(({ id, version }) => [id, version]));
  const now = await consumer.find([...marks.keys()]);
  return new Map(
    now.map((entry) => {
      const { id, version } = entry;
      // Applied meanwhile, whatever it was: the event after it was not searched for.
      const hasMoved = version !== marks.get(id);
      return [id, verdictOf(entry, hasMoved || unread.has(placeOf(id, version + 1)))];
    }),
  );
}
