import {
  type RegistryClient,
  type SchemaAnswer,
  connectRegistry,
  contradictionOf,
  fingerprintOf,
  parseSchema,
  textOf,
} from '../schemas/schema.ts';
import type { KnownSchema, SchemaKey } from '../store/schema-memory.ts';
import { type Operator, storeOf } from './operator.ts';

/** A remembered schema beside what the registry says of its id now. */
export interface ComparedSchema extends SchemaKey {
  readonly decision: KnownSchema['decision'];
  readonly fingerprint: string | undefined;
  readonly text: string | undefined;
  /**
   * `ambiguous`: another schema of the same record, so that an event does not show which of the two
   * it was written with.
   */
  readonly registry: 'same' | 'lost' | 'changed' | 'ambiguous' | 'no-answer';
  /** How the registry contradicts it, or why it gave no answer. */
  readonly problem: string | undefined;
}

/** Which remembered schemas; what is not named does not narrow. */
export type SchemaFilter = Partial<SchemaKey>;

/** All that the consumer remembers, compared with the registry. */
export async function compareSchemas(
  operator: Operator,
  registryUrl: string,
  filter: SchemaFilter = {},
): Promise<readonly ComparedSchema[]> {
  const registry = connectRegistry(registryUrl);
  const known = (await storeOf(operator).schemas.read()).filter(
    ({ eventType, schemaId }) =>
      eventType === (filter.eventType ?? eventType) && schemaId === (filter.schemaId ?? schemaId),
  );
  const compared: ComparedSchema[] = [];
  for (const one of known) compared.push(await compare(registry, one));
  return compared;
}

async function compare(registry: RegistryClient, known: KnownSchema): Promise<ComparedSchema> {
  const { eventType, schemaId, decision } = known;
  const [fingerprint, text] = known.decision === 'refused' ? [] : [known.fingerprint, known.text];
  const one = { eventType, schemaId, decision, fingerprint, text };
  let answer: SchemaAnswer;
  try {
    answer = await registry.schemaOf(schemaId);
  } catch (error) {
    return {
      ...one,
      registry: 'no-answer',
      problem: error instanceof Error ? error.message : String(error),
    };
  }
  if (answer.kind === 'unknown') return { ...one, registry: 'lost', problem: undefined };
  if (fingerprint === undefined || text === undefined)
    return { ...one, registry: 'changed', problem: undefined };
  const problem = contradictionOf({ eventType, schemaId, fingerprint }, answer);
  if (problem === undefined) return { ...one, registry: 'same', problem };
  const isSameRecord = answer.kind === 'schema' && answer.type.name === parseSchema(text).name;
  return { ...one, registry: isSameRecord ? 'ambiguous' : 'changed', problem };
}

/**
 * Lets the consumer use its own text for every id that the registry has lost or gave to another
 * type's schema; returns these.
 */
export async function keepStored(
  operator: Operator,
  compared: readonly ComparedSchema[],
): Promise<readonly ComparedSchema[]> {
  const kept: ComparedSchema[] = [];
  for (const one of compared) {
    const { eventType, schemaId, decision, fingerprint, text, registry } = one;
    if (decision !== 'registry' || (registry !== 'lost' && registry !== 'changed')) continue;
    if (fingerprint === undefined || text === undefined) continue;
    const schema = { eventType, schemaId, decision: 'stored', fingerprint, text } as const;
    await storeOf(operator).schemas.decide(schema);
    kept.push(one);
  }
  return kept;
}

/**
 * Forgets what was remembered and decided: the next event with such an id learns it from the
 * registry as it is then.
 */
export async function forgetKnown(
  operator: Operator,
  schemas: readonly SchemaKey[],
): Promise<void> {
  for (const one of schemas) await storeOf(operator).schemas.forget(one);
}

/**
 * Stores what an id meant, for one that neither the registry nor the consumer knows, and returns
 * the schema's fingerprint; throws when the text is not an Avro schema.
 */
export async function storeSchema(
  operator: Operator,
  key: SchemaKey,
  schema: string,
): Promise<string> {
  const type = parseSchema(schema);
  const fingerprint = fingerprintOf(type);
  const stored = { ...key, decision: 'stored', fingerprint, text: textOf(type) } as const;
  await storeOf(operator).schemas.decide(stored);
  return fingerprint;
}

/** Stores that events with this id can never be decoded: they are dead-lettered instead of held. */
export async function refuseSchema(operator: Operator, key: SchemaKey): Promise<void> {
  await storeOf(operator).schemas.decide({ ...key, decision: 'refused' });
}
