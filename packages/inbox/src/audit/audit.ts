import {
  type ConsumerEntry,
  type ConsumerSide,
  type IdRange,
  type SourceSide,
  type Suspect,
  findSuspects,
  isEqual,
} from './compare.ts';
import { type AuditReport, type Tally, type Verdict, judge, openTally } from './compare.ts';

export type Barrier = 'passed' | { readonly cannotTell: string };

export interface AuditOptions extends Settlement {
  /** Waits until both groups have passed every event that was committed before the call. */
  barrier(): Promise<Barrier>;
  /** Aggregates per hash; what is in memory at a time grows with it. */
  readonly chunkSize?: number;
  /** How many findings of each verdict are listed. */
  readonly listed?: number;
  /** What an operator's command needs to be about this consumer, with a space before it. */
  readonly consumerFlag?: string;
  /** Told after each chunk: aggregates compared, and those that need a second look so far. */
  readonly onProgress?: (compared: number, suspects: number) => void;
}

/** The report on a consumer that could not be asked. */
export function unaudited(reason: string): AuditReport {
  return openTally(0).report(reason);
}

/**
 * Compares every aggregate of the source with what the consumer has, while both go on changing.
 *
 * Ranges of ids are compared by one hash each; where it differs, entry by entry. What differs is
 * judged only after the barrier: by then the consumer has had its chance to apply all that was
 * committed when the difference was seen.
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
  let suspects: Suspect[] = [];
  let compared = 0;
  let suspected = 0;

  async function settle(): Promise<void> {
    if (cannotTell === undefined) {
      const result = await barrier();
      // Asked once: what did not settle in time would cost the whole wait again for every round.
      if (result !== 'passed') cannotTell = result.cannotTell;
    }
    await settleSuspects(options, suspects, cannotTell === undefined, tally);
    suspects = [];
  }

  for (let after = ''; ;) {
    const upTo = lowest(
      await source.boundary(after, chunkSize),
      await consumer.boundary(after, chunkSize),
    );
    const found = await compareRange({ source, consumer }, { after, upTo });
    compared += found.count;
    suspected += found.suspects.length;
    tally.compared(found.count);
    suspects.push(...found.suspects);
    onProgress?.(compared, suspected);
    // Bounded: however much differs, memory holds the suspects of a few chunks.
    if (suspects.length >= chunkSize && upTo !== undefined) await settle();
    if (upTo === undefined) break;
    after = upTo;
  }
  // Also when nothing differs: a relay that stands still is not "clean".
  await settle();
  return tally.report(cannotTell);
}

async function compareRange(
  { source, consumer }: Pick<AuditOptions, 'source' | 'consumer'>,
  range: IdRange,
): Promise<{ count: number; suspects: Suspect[] }> {
  const digest = await source.digest(range);
  if (isEqual(digest, await consumer.digest(range))) return { count: digest.count, suspects: [] };
  const entries = await source.list(range);
  return { count: entries.length, suspects: findSuspects(entries, await consumer.list(range)) };
}

function lowest(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

/** An event by its place: `<aggregate id> <version>`. */
export type EventPlace = string;

export const placeOf = (aggregateId: string, version: number): EventPlace =>
  `${aggregateId} ${version}`;

interface Settlement {
  readonly source: SourceSide;
  readonly consumer: ConsumerSide;
  /** Which of these events are in the source or retry topics, unread by their groups. */
  findUnread(places: ReadonlySet<EventPlace>): Promise<ReadonlySet<EventPlace>>;
}

/** Judges suspects, and counts those that are not in step; `settled` as in `judge`. */
async function settleSuspects(
  { source, consumer, findUnread }: Settlement,
  suspects: readonly Suspect[],
  settled: boolean,
  tally: Tally,
): Promise<void> {
  if (suspects.length === 0) return;
  const noted = new Map(suspects.map((suspect) => [suspect.id, suspect.noted]));
  const ids = [...noted.keys()].sort();
  const consumed = await consumer.find(ids);
  // The source AFTER the consumer: an aggregate that changes in between must not look ahead.
  const current = new Map((await source.find(ids)).map((entry) => [entry.id, entry]));

  const look = (entry: ConsumerEntry, nextUnread: boolean): Verdict | 'in step' => {
    const { id } = entry;
    return judge({
      noted: noted.get(id),
      consumer: entry,
      source: current.get(id),
      nextUnread,
      settled,
    });
  };
  const judged = consumed.map((entry) => ({ entry, verdict: look(entry, false) }));
  const lost = judged.filter(({ verdict }) => verdict === 'LOST').map(({ entry }) => entry);
  const second = await lookAgain({ consumer, findUnread }, lost, look);

  const verdicts = judged.map(({ entry, verdict }) => ({
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
 * Judges once more what looks lost, now that the topics are searched for its next event.
 *
 * The database was asked before the topics and is asked again after them: an event that moves from
 * a parked row to a retry topic is seen by the first look, one that moves the other way by the
 * last.
 */
async function lookAgain(
  { consumer, findUnread }: Pick<Settlement, 'consumer' | 'findUnread'>,
  lost: readonly ConsumerEntry[],
  look: (entry: ConsumerEntry, nextUnread: boolean) => Verdict | 'in step',
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
      return [id, look(entry, hasMoved || unread.has(placeOf(id, version + 1)))];
    }),
  );
}
