import { sameEvent } from './verdict.ts';

/** Aggregates by id: after the one, up to and with the other; without an end, all that follow. */
export interface IdRange {
  readonly after: string;
  readonly upTo: string | undefined;
}

/** A whole range in a few numbers, computed by the database. */
export interface Digest {
  /** Aggregates in the range. */
  readonly count: number;
  /** Hash over id, version and content of each; comparable between the sides. */
  readonly state: string;
  /** How many of them have a known event id for their version. */
  readonly known: number;
  /** Hash over id and event id of those. */
  readonly events: string;
}

/** One aggregate as its owner has it. */
export interface SourceEntry {
  readonly id: string;
  /** Counts from 1. */
  readonly version: number;
  /** Hash of everything that the consumer should have too. */
  readonly content: string;
  /** Of the event that made this version; undefined once its outbox row is purged. */
  readonly eventId: string | undefined;
}

/** One aggregate as the consumer has it; read in one statement, so that mark and content belong together. */
export interface ConsumerEntry {
  readonly id: string;
  /** The mark; 0 when nothing was applied. */
  readonly version: number;
  /** Undefined when there is no row. */
  readonly content: string | undefined;
  readonly eventId: string | undefined;
  /** The version at the mark was passed over without its effect. */
  readonly skipped: boolean;
  /** Version mark + 1 is parked. */
  readonly nextParked: boolean;
  /** Version mark + 1 is an open dead letter. */
  readonly nextDead: boolean;
  /** An open dead letter says that two events claim one version. */
  readonly conflict: boolean;
}

export interface SourceSide {
  /** The id of the aggregate that is `count` places after this one; undefined when there are fewer. */
  boundary(after: string, count: number): Promise<string | undefined>;
  digest(range: IdRange): Promise<Digest>;
  /** In the order of their ids. */
  list(range: IdRange): Promise<readonly SourceEntry[]>;
  find(ids: readonly string[]): Promise<readonly SourceEntry[]>;
}

export interface ConsumerSide {
  boundary(after: string, count: number): Promise<string | undefined>;
  /** `odd`: what the hashes do not show, such as content without a mark or an open conflict. */
  digest(range: IdRange): Promise<Digest & { readonly odd: number }>;
  list(range: IdRange): Promise<readonly ConsumerEntry[]>;
  /** An open dead letter stands for records that it does not hold and whose events cannot be named. */
  holdsUnnamed(): Promise<boolean>;
  /** An entry for every id, also when the consumer has nothing. */
  find(ids: readonly string[]): Promise<readonly ConsumerEntry[]>;
}

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
