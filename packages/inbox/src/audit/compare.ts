import { sameEvent } from './judge.ts';
import type { ConsumerEntry, ConsumerSide, Digest, SourceEntry } from './sides.ts';

/** An aggregate that looked different, and the source as it was then; undefined when the source had none. */
export interface Suspect {
  readonly id: string;
  readonly noted: SourceEntry | undefined;
}

/** True when the two sides of a range need no second look. */
export function isEqual(source: Digest, consumer: Awaited<ReturnType<ConsumerSide['digest']>>): boolean {
  if (consumer.odd > 0 || source.count !== consumer.count) return false;
  if (source.count === 0) return true;
  if (source.state !== consumer.state) return false;
  // The source forgets event ids with its outbox rows; a range of which it knows some must be looked at one by one.
  return source.known === 0 || (source.known === consumer.known && source.events === consumer.events);
}

/** Which aggregates of a range differ. */
export function findSuspects(source: readonly SourceEntry[], consumer: readonly ConsumerEntry[]): Suspect[] {
  const consumed = new Map(consumer.map((entry) => [entry.id, entry]));
  const suspects: Suspect[] = source
    .filter((entry) => !isInStep(entry, consumed.get(entry.id)))
    .map((entry) => ({ id: entry.id, noted: entry }));
  const known = new Set(source.map(({ id }) => id));
  for (const { id } of consumer) if (!known.has(id)) suspects.push({ id, noted: undefined });
  return suspects;
}

function isInStep(source: SourceEntry, consumer: ConsumerEntry | undefined): boolean {
  return (
    consumer !== undefined &&
    !consumer.conflict &&
    source.version === consumer.version &&
    source.content === consumer.content &&
    sameEvent(source, consumer)
  );
}
