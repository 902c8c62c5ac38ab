import { randomUUID } from 'node:crypto';
import type { CompactedTopic } from '@board/kafka';
import * as z from 'zod';

/** The relay as the keeper observed it last. */
const seenSchema = z.object({
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
const incidentSchema = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  reason: z.string(),
  /**
   * `blocked`: the connector's position is from before the server's GTIDs were reset or a backup
   * was restored, and proves nothing. `open`: it names transactions of the server as it is now, and
   * can prove a fence.
   */
  fence: z.enum(['open', 'blocked']),
  /**
   * The keeper has stopped the connector: resumed with the position that it has, it would ship
   * values under wrong columns.
   */
  held: z.literal(true).optional(),
});

/** Ends one incident, whose id is stored as `suspicion`. */
const closureSchema = z.object({
  suspicion: z.string(),
  at: z.iso.datetime(),
  by: z.enum(['audit', 'operator']),
  reason: z.string(),
});

const purgedSchema = z.object({ at: z.iso.datetime(), rows: z.number(), keys: z.number() });

const parts = {
  seen: seenSchema,
  incident: incidentSchema,
  closure: closureSchema,
  purged: purgedSchema,
};

/** The names under which incidents and closures are stored; older keepers know them. */
const storedNames: Readonly<Record<keyof typeof parts, string>> = {
  seen: 'seen',
  incident: 'suspicion',
  closure: 'settlement',
  purged: 'purged',
};

/** The keeper writes at least every 20 s. */
const silenceMs = 60_000;
const longestReason = 600;

const partNames = Object.keys(parts) as readonly (keyof typeof parts)[];

export type Seen = z.infer<typeof seenSchema>;
export type Incident = z.infer<typeof incidentSchema>;
/** What an incident says; it gets its id and time when it is opened. */
export type Finding = Omit<Incident, 'id' | 'at'>;
type Closure = z.infer<typeof closureSchema>;
type Purged = z.infer<typeof purgedSchema>;

/**
 * What is known of one connector; each part is written by itself, so that no writer undoes what
 * another has written.
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

/** The incident that no closure with its id has ended; times are not compared. */
export function findOpenIncident({ incident, closure }: RelayMemory): Incident | undefined {
  return incident?.id === closure?.suspicion ? undefined : incident;
}

/** Adds a finding to the reason of the open incident, which the next incident must repeat. */
export function mergeFinding(open: Incident | undefined, { reason, ...finding }: Finding): Finding {
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
 * Opens an incident, always with a new id: an audit closes the incident that was open when it
 * began, and nothing found since.
 */
export function createIncident(finding: Finding, now: Date): Incident {
  return { ...finding, id: randomUUID(), at: now.toISOString() };
}

/**
 * Whether a keeper has observed the relay within the last minute; a time more than a minute in the
 * future, as of a clock that was set back since, does not count.
 */
export function isWatched({ seen }: RelayMemory, now: Date): boolean {
  return seen !== undefined && Math.abs(now.getTime() - Date.parse(seen.at)) <= silenceMs;
}

/**
 * Asks what the keeper remembers for a reason why a fence proves nothing; undefined when there is
 * none.
 *
 * Only a position from before the server's GTIDs were reset or a backup was restored blocks the
 * audit, which closes every other incident. Every incident blocks the purge, and so does a relay
 * that is not watched: the purge would delete the rows that are needed to repair what the audit
 * finds.
 */
export function findBlockingIncident(
  memory: RelayMemoryStore,
  asker: 'audit' | 'purge',
): () => Promise<string | undefined> {
  return async () => {
    const remembered = (await memory.read()) ?? {};
    const open = findOpenIncident(remembered);
    if (asker === 'audit')
      return open?.fence === 'blocked'
        ? `the position of the connector is from before the server's GTIDs were reset or a backup was restored: ${open.reason}`
        : undefined;
    if (open !== undefined)
      return `an incident of the relay is open since ${open.at}: ${open.reason}`;
    if (isWatched(remembered, new Date())) return undefined;
    const last = remembered.seen === undefined ? '' : ` since ${remembered.seen.at}`;
    return `no keeper has observed the connector${last}, so a server that began anew may have passed for the old one: start the keeper`;
  };
}
