import type { Suspect } from './compare.ts';
import { judge } from './judge.ts';
import type { Tally } from './report.ts';
import type { ConsumerEntry, ConsumerSide, SourceSide } from './sides.ts';
import type { Verdict } from './verdict.ts';

/** An event by its place: `<aggregate id> <version>`. */
export type EventPlace = string;

export const placeOf = (aggregateId: string, version: number): EventPlace => `${aggregateId} ${version}`;

export interface Settlement {
  readonly source: SourceSide;
  readonly consumer: ConsumerSide;
  /** Which of these events are in the source or retry topics, unread by their groups. */
  findUnread(places: ReadonlySet<EventPlace>): Promise<ReadonlySet<EventPlace>>;
}

/** Judges suspects, and counts those that are not in step; `settled` as in `judge`. */
export async function settleSuspects(
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
    return judge({ noted: noted.get(id), consumer: entry, source: current.get(id), nextUnread, settled });
  };
  const judged = consumed.map((entry) => ({ entry, verdict: look(entry, false) }));
  const lost = judged.filter(({ verdict }) => verdict === 'LOST').map(({ entry }) => entry);
  const second = await lookAgain({ consumer, findUnread }, lost, look);

  const verdicts = judged.map(({ entry, verdict }) => ({ entry, verdict: second.get(entry.id) ?? verdict }));
  // What a bare dead letter stands for may be the very event.
  const maybeHeld = verdicts.some(({ verdict }) => verdict === 'LOST') && (await consumer.holdsUnnamed());
  for (const { entry, verdict } of verdicts) {
    const final = verdict === 'LOST' && maybeHeld ? 'cannot tell' : verdict;
    const version = current.get(entry.id)?.version ?? 0;
    if (final !== 'in step') tally.add({ id: entry.id, verdict: final, version, mark: entry.version });
  }
}

/**
 * Judges once more what looks lost, now that the topics are searched for its next event.
 *
 * The database was asked before the topics and is asked again after them: an event that moves from a parked row to a retry
 * topic is seen by the first look, one that moves the other way by the last.
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
