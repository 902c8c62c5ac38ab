import type { Alarms, Logger } from '@board/service';
import type { InboxSettings } from '../settings.ts';
import type { SchemaKey, SchemaMemory } from '../store/schema-memory.ts';
import { nameOf } from './schema.ts';

/**
 * What is known of a schema id that cannot be used, when it must be decided whose fault that is.
 */
export interface SchemaFaultFacts {
  /**
   * The registry has said "unknown" again and again for long enough; true for a schema that was
   * received whole.
   */
  readonly isStable: boolean;
  readonly registryKnowsOurSubjects: boolean;
  /**
   * Of the ids that this consumer has resolved before: those that the registry no longer has, or
   * has changed.
   */
  readonly lostSchemas: readonly string[];
  /** Aggregates whose events carry this id, within the window. */
  readonly aggregates: number;
  /** An event of the type decoded with another id, within the window. */
  readonly typeDecodes: boolean;
}

/** Whose fault an unusable schema id is. */
export type SchemaFault =
  | { readonly kind: 'unclear' }
  | { readonly kind: 'registry'; readonly because: string }
  | { readonly kind: 'event' };

/**
 * An id that a healthy registry would know must never dead-letter an event: whatever points at the
 * registry comes first.
 */
export function decideSchemaFault(
  facts: SchemaFaultFacts,
  { unknownSchemaAggregates, unknownSchemaWindowMs }: InboxSettings,
): SchemaFault {
  const { isStable, registryKnowsOurSubjects, lostSchemas, aggregates, typeDecodes } = facts;
  if (!isStable) return { kind: 'unclear' };
  if (!registryKnowsOurSubjects)
    return { kind: 'registry', because: 'the registry knows none of our subjects' };
  if (lostSchemas.length > 0)
    return {
      kind: 'registry',
      because: `the registry has lost what it had: ${lostSchemas.slice(0, 3).join(', ')}`,
    };
  if (aggregates >= unknownSchemaAggregates && !typeDecodes)
    return {
      kind: 'registry',
      because: `${aggregates} aggregates have events with it within ${unknownSchemaWindowMs / 1_000} s, and none of this type decodes`,
    };
  return { kind: 'event' };
}

/** What was seen of unusable ids and of their types lately. */
export interface SchemaEvidence {
  sawUnknown(schemaId: number, nowMs: number): void;
  /** Any other answer, or none: the time begins anew. */
  sawOtherwise(schemaId: number): void;
  isStablyUnknown(schemaId: number, nowMs: number): boolean;
  sawEvent(use: SchemaKey & { readonly aggregateId: string }, nowMs: number): void;
  aggregates(key: SchemaKey, nowMs: number): number;
  sawDecoded(eventType: string, nowMs: number): void;
  decodesLately(eventType: string, nowMs: number): boolean;
}

/** Bounded: anyone can write records with ids that nothing ever had. */
const maxIds = 1_000;
/**
 * More ids than all partitions can wait for at once: the time of an id that is dropped begins anew,
 * so it would never be unknown for long enough.
 */
const maxUnknownIds = 10_000;
const maxAggregatesAnId = 1_000;

export function schemaEvidence({
  unknownSchemaMs,
  unknownSchemaWindowMs,
}: InboxSettings): SchemaEvidence {
  const unknownSince = new Map<number, number>();
  const seen = new Map<string, Map<string, number>>();
  const decodedAt = new Map<string, number>();

  return {
    sawUnknown(schemaId, nowMs) {
      if (!unknownSince.has(schemaId)) put(unknownSince, schemaId, nowMs, maxUnknownIds);
    },
    sawOtherwise: (schemaId) => void unknownSince.delete(schemaId),
    isStablyUnknown(schemaId, nowMs) {
      const sinceMs = unknownSince.get(schemaId);
      return sinceMs !== undefined && nowMs - sinceMs >= unknownSchemaMs;
    },
    sawEvent({ eventType, schemaId, aggregateId }, nowMs) {
      const key = `${eventType} ${schemaId}`;
      const aggregates = seen.get(key) ?? new Map<string, number>();
      put(seen, key, aggregates, maxIds);
      put(aggregates, aggregateId, nowMs, maxAggregatesAnId);
    },
    aggregates({ eventType, schemaId }, nowMs) {
      const aggregates = seen.get(`${eventType} ${schemaId}`) ?? new Map<string, number>();
      for (const [aggregateId, atMs] of aggregates) {
        // In order of the last sight.
        if (nowMs - atMs <= unknownSchemaWindowMs) break;
        aggregates.delete(aggregateId);
      }
      return aggregates.size;
    },
    sawDecoded: (eventType, nowMs) => void decodedAt.set(eventType, nowMs),
    decodesLately: (eventType, nowMs) =>
      nowMs - (decodedAt.get(eventType) ?? -Infinity) <= unknownSchemaWindowMs,
  };
}

/** As the newest entry; the oldest goes when there are too many. */
function put<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, max: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= max) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

const alarm = 'schemas';
const namedTroubles = 5;
const namedDeadLetters = 10;
/**
 * What is still in the way is met again every few seconds: what was not for so long is another
 * instance's now.
 */
const forgetAfterMs = 60_000;

interface Trouble {
  readonly reason: string;
  /** Dead letters that were published for it before it was clear. */
  readonly deadLetters: string;
  readonly seenMs: number;
}

/** Schema ids that are the registry's fault, as one alarm lists them. */
export interface SchemaTroubles {
  /** Safe to call for each batch that meets it. */
  note(key: SchemaKey, reason: string): Promise<void>;
  forget(key: SchemaKey): void;
  /** Raises the alarm, or clears it when nothing was met for a while. */
  show(): void;
}

export interface SchemaTroublesParts {
  /** As in `Inbox`. */
  readonly consumerFlag: string;
  readonly memory: Pick<SchemaMemory, 'findDeadLetters'>;
  readonly alarms: Alarms;
  readonly logger: Logger;
  readonly elapsedMs: () => number;
}

/** Keeps the troubles of this process in memory, and one alarm for all of them. */
export function trackSchemaTroubles({
  memory,
  alarms,
  logger,
  elapsedMs,
  consumerFlag,
}: SchemaTroublesParts): SchemaTroubles {
  const troubles = new Map<string, Trouble>();

  async function describeDeadLetters(key: SchemaKey): Promise<string> {
    const text = `${nameOf(key)} `;
    const { count, deadLetters } = await memory.findDeadLetters(text, namedDeadLetters);
    if (count === 0) return '';
    const more = count > deadLetters.length ? ' and more' : '';
    return `; dead-lettered before this was clear: ${count} (${deadLetters.join(', ')}${more}), replay them afterwards: npm run dlq -- replay --error "${text}"${consumerFlag}`;
  }

  return {
    async note(key: SchemaKey, reason: string): Promise<void> {
      const name = nameOf(key);
      const known = troubles.get(name);
      const seenMs = elapsedMs();
      if (known?.reason === reason) {
        troubles.set(name, { ...known, seenMs });
        return;
      }
      logger.error({
        event: 'inbox.schema-trouble',
        eventType: key.eventType,
        schemaId: key.schemaId,
        reason,
      });
      const deadLetters = await describeDeadLetters(key);
      troubles.set(name, { reason, deadLetters, seenMs });
    },
    forget: (key) => void troubles.delete(nameOf(key)),
    show(): void {
      for (const [name, { seenMs }] of troubles)
        if (elapsedMs() - seenMs > forgetAfterMs) troubles.delete(name);
      if (troubles.size === 0) return alarms.clear(alarm);
      const all = [...troubles.values()].map(({ reason, deadLetters }) => reason + deadLetters);
      const more = all.length > namedTroubles ? `; and ${all.length - namedTroubles} more` : '';
      alarms.raise(
        alarm,
        `${all.slice(0, namedTroubles).join('; ')}${more}; "npm run inbox -- schemas${consumerFlag}" compares, docs/runbook.md "The registry lost schemas" has the ways out`,
      );
    },
  };
}
