import type { SchemaKey } from '../store/schema-memory.ts';
import type { InboxSettings } from '../settings.ts';

/** What is known of a schema id that cannot be used, when it must be decided whose fault that is. */
export interface SchemaSuspicion {
  /** The registry has said "unknown" again and again for long enough; true for a schema that was received whole. */
  readonly isStable: boolean;
  readonly registryKnowsOurSubjects: boolean;
  /** Of the ids that this consumer has resolved before: those that the registry no longer has, or has changed. */
  readonly lostSchemas: readonly string[];
  /** Aggregates whose events carry this id, within the window. */
  readonly aggregates: number;
  /** An event of the type decoded with another id, within the window. */
  readonly typeDecodes: boolean;
}

export type SchemaFault =
  { readonly kind: 'unclear' } | { readonly kind: 'registry'; readonly because: string } | { readonly kind: 'event' };

/** An id that a healthy registry would know must never dead-letter an event: whatever points at the registry comes first. */
export function decideSchemaFault(
  suspicion: SchemaSuspicion,
  { unknownSchemaAggregates, unknownSchemaWindowMs }: InboxSettings,
): SchemaFault {
  const { isStable, registryKnowsOurSubjects, lostSchemas, aggregates, typeDecodes } = suspicion;
  if (!isStable) return { kind: 'unclear' };
  if (!registryKnowsOurSubjects) return { kind: 'registry', because: 'the registry knows none of our subjects' };
  if (lostSchemas.length > 0)
    return { kind: 'registry', because: `the registry has lost what it had: ${lostSchemas.slice(0, 3).join(', ')}` };
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
/** More than all partitions hold at once: one that is forgotten is never unknown for long enough. */
const maxUnknownIds = 10_000;
const maxAggregatesAnId = 1_000;

export function schemaEvidence({ unknownSchemaMs, unknownSchemaWindowMs }: InboxSettings): SchemaEvidence {
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
    decodesLately: (eventType, nowMs) => nowMs - (decodedAt.get(eventType) ?? -Infinity) <= unknownSchemaWindowMs,
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
