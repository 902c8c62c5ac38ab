import avsc from 'avsc';
import { describeError } from '../errors.ts';
import type { SchemaKey } from '../store/schema-memory.ts';
import { fingerprintOf, type SchemaAnswer } from './registry.ts';

export interface SchemaUse extends SchemaKey {
  readonly aggregateId: string;
}

export type SchemaResolution =
  | { readonly kind: 'usable'; readonly reader: avsc.Type; readonly resolver: avsc.Resolver }
  /** The event's own fault. */
  | { readonly kind: 'invalid'; readonly problem: string }
  /** The registry's fault, or not clear yet: the event waits. */
  | { readonly kind: 'held'; readonly reason: string };

export function nameOf({ eventType, schemaId }: SchemaKey): string {
  return `schema id ${schemaId} of ${eventType}`;
}

export function resolverOf(key: SchemaKey, reader: avsc.Type | undefined, writer: avsc.Type): SchemaResolution {
  if (reader === undefined) return { kind: 'invalid', problem: `${nameOf(key)}: this consumer does not read the type` };
  try {
    return { kind: 'usable', reader, resolver: reader.createResolver(writer) };
  } catch (error) {
    const { message } = describeError(error);
    return { kind: 'invalid', problem: `${nameOf(key)} does not resolve with the schema of this consumer: ${message}` };
  }
}

/** How the registry contradicts what an id meant; undefined when it does not. */
export function contradictionOf(
  known: SchemaKey & { readonly fingerprint: string },
  answer: SchemaAnswer,
): string | undefined {
  const was = `its fingerprint was ${known.fingerprint}`;
  if (answer.kind === 'unknown') return `${nameOf(known)} is no longer known to the registry; ${was}`;
  if (answer.kind === 'unusable')
    return `${nameOf(known)} has changed: ${was}, now it cannot be used: ${answer.problem}`;
  const fingerprint = fingerprintOf(answer.type);
  if (fingerprint === known.fingerprint) return undefined;
  return `${nameOf(known)} has changed: ${was}, the registry now gives it the schema ${answer.type.name ?? '(no name)'}, fingerprint ${fingerprint}`;
}

export function parseSchema(schema: string): avsc.Type {
  return avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema);
}
