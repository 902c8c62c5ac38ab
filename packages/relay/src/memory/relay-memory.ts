import { randomUUID } from 'node:crypto';
import type { CompactedTopic } from '@board/kafka';
import * as z from 'zod';

/** The relay as it was when the keeper looked last. */
const seen = z.object({
  at: z.iso.datetime(),
  serverUuid: z.string(),
  /** What the server had executed. */
  executed: z.string(),
  /** What the connector's offset named; empty when it had none. */
  relayed: z.string(),
  /** The binlog file of the connector's offset. */
  file: z.string().optional(),
  snapshot: z.boolean(),
});

/** Why the connector may have passed over something. */
const suspicion = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  reason: z.string(),
  /**
   * `blocked`: the connector's position is from another life of the server, and no fence may
   * believe it.
   */
  fence: z.enum(['open', 'blocked']),
  /**
   * The keeper stops the connector: resumed with the position that it has, it ships values under
   * wrong columns.
   */
  held: z.literal(true).optional(),
});

/** Ends one suspicion. */
const settlement = z.object({
  suspicion: z.string(),
  at: z.iso.datetime(),
  by: z.enum(['audit', 'operator']),
  reason: z.string(),
});

const purged = z.object({ at: z.iso.datetime(), rows: z.number(), keys: z.number() });

const parts = { seen, suspicion, settlement, purged };

export type Seen = z.infer<typeof seen>;
export type Suspicion = z.infer<typeof suspicion>;
type Settlement = z.infer<typeof settlement>;
type Purged = z.infer<typeof purged>;

/**
 * What is known of one connector; each part is written by itself, so that no writer can undo
 * another one's.
 */
export interface RelayMemory {
  readonly seen?: Seen;
  readonly suspicion?: Suspicion;
  readonly settlement?: Settlement;
  readonly purged?: Purged;
}

export interface RelayMemoryStore {
  /** Undefined when the topic is not there: the setup has not created it. */
  read(): Promise<RelayMemory | undefined>;
  remember(memory: RelayMemory): Promise<void>;
  close(): Promise<void>;
}

/**
 * Keeps what is known of `connector` in a compacted topic, which it shares with other connectors.
 */
export function relayMemory(topic: CompactedTopic, connector: string): RelayMemoryStore {
  const keyOf = (part: string): string => `${connector} ${part}`;
  return {
    async read() {
      const values = await topic.read();
      if (values === undefined) return undefined;
      const known = Object.entries(parts).flatMap(([part, schema]) => {
        const text = values.get(keyOf(part));
        return text === undefined ? [] : [[part, schema.parse(JSON.parse(text))]];
      });
      return Object.fromEntries(known) as RelayMemory;
    },
    async remember(memory) {
      for (const [part, value] of Object.entries(memory))
        await topic.write(keyOf(part), JSON.stringify(value));
    },
    close: () => topic.close(),
  };
}

/** What a suspicion says; id and time it is given when it is raised. */
export type Finding = Omit<Suspicion, 'id' | 'at'>;

/** The suspicion that is still open; one with the same id, whatever any clock says. */
export function openSuspicion({
  suspicion: raised,
  settlement: settled,
}: RelayMemory): Suspicion | undefined {
  return raised?.id === settled?.suspicion ? undefined : raised;
}

const longestReason = 600;

/** What was found beside what is open already, which must not be forgotten for it. */
export function findBeside(open: Suspicion | undefined, { reason, ...finding }: Finding): Finding {
  const story =
    open === undefined || open.reason.includes(reason)
      ? (open?.reason ?? reason)
      : `${open.reason}; then ${reason}`;
  return {
    ...finding,
    reason: story.length > longestReason ? `${story.slice(0, longestReason)}…` : story,
  };
}

/**
 * A new suspicion. Its id is always a new one: an audit settles what it has seen when it began, and
 * nothing found since.
 */
export function suspect(finding: Finding, now: Date): Suspicion {
  return { ...finding, id: randomUUID(), at: now.toISOString() };
}
