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
const incident = z.object({
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

/** Ends one incident, whose id is stored as `suspicion`. */
const closure = z.object({
  suspicion: z.string(),
  at: z.iso.datetime(),
  by: z.enum(['audit', 'operator']),
  reason: z.string(),
});

const purged = z.object({ at: z.iso.datetime(), rows: z.number(), keys: z.number() });

const parts = { seen, incident, closure, purged };

/** The names under which incidents and closures are stored; older keepers know them. */
const storedNames: Readonly<Record<keyof typeof parts, string>> = {
  seen: 'seen',
  incident: 'suspicion',
  closure: 'settlement',
  purged: 'purged',
};

const partNames = Object.keys(parts) as readonly (keyof typeof parts)[];

export type Seen = z.infer<typeof seen>;
export type Incident = z.infer<typeof incident>;
type Closure = z.infer<typeof closure>;
type Purged = z.infer<typeof purged>;

/**
 * What is known of one connector; each part is written by itself, so that no writer can undo
 * another one's.
 */
export interface RelayMemory {
  readonly seen?: Seen;
  readonly incident?: Incident;
  readonly closure?: Closure;
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
  const keyOf = (part: keyof typeof parts): string => `${connector} ${storedNames[part]}`;
  return {
    async read() {
      const values = await topic.read();
      if (values === undefined) return undefined;
      const known = partNames.flatMap((part) => {
        const text = values.get(keyOf(part));
        return text === undefined ? [] : [[part, parts[part].parse(JSON.parse(text))]];
      });
      return Object.fromEntries(known) as RelayMemory;
    },
    async remember(memory) {
      for (const part of partNames) {
        const value = memory[part];
        if (value !== undefined) await topic.write(keyOf(part), JSON.stringify(value));
      }
    },
    close: () => topic.close(),
  };
}

/** What an incident says; it gets its id and time when it is opened. */
export type Finding = Omit<Incident, 'id' | 'at'>;

/** The incident that no closure with its id has ended, whatever any clock says. */
export function findOpenIncident({
  incident: raised,
  closure: closed,
}: RelayMemory): Incident | undefined {
  return raised?.id === closed?.suspicion ? undefined : raised;
}

const longestReason = 600;

/** What was found beside what is open already, which must not be forgotten for it. */
export function findBeside(open: Incident | undefined, { reason, ...finding }: Finding): Finding {
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
 * A new incident. Its id is always a new one: an audit closes what it has seen when it began, and
 * nothing found since.
 */
export function createIncident(finding: Finding, now: Date): Incident {
  return { ...finding, id: randomUUID(), at: now.toISOString() };
}
