import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { createRegistryClient, registryCodes, type RegistryAnswer } from '@board/registry';
import { withinDeadline } from '@board/service';
import avsc from 'avsc';
import timeoutMiddleware from 'mappersmith/middleware/timeout';
import { InfrastructureError, describeError } from '../errors.ts';
import type { SchemaKey } from '../store/schema-memory.ts';

type Middlewares = NonNullable<ConstructorParameters<typeof SchemaRegistry>[0]['middlewares']>;

/** What the registry itself says of an id, in one whole answer. */
export type SchemaAnswer =
  | { readonly kind: 'schema'; readonly type: avsc.Type }
  /** Received whole, and not an Avro schema or not one that compiles. */
  | { readonly kind: 'unusable'; readonly problem: string }
  | { readonly kind: 'unknown' };

export interface RegistryClient {
  /**
   * Asks anew each time; throws InfrastructureError when the registry has not answered the
   * question.
   */
  schemaOf(id: number): Promise<SchemaAnswer>;
  /** Whether at least one of the subjects is registered; throws InfrastructureError as above. */
  knowsAny(subjects: readonly string[]): Promise<boolean>;
}

/** A client that keeps no answers; each request has `timeoutMs` at most. */
export function connectRegistry(url: string, timeoutMs = 3_000): RegistryClient {
  const whole = createRegistryClient(url, { timeoutMs });
  return {
    async schemaOf(id) {
      // Confluent's client, because it fetches what a schema references. One of its own for each
      // question: it keeps what it has seen, and a registry may change its mind. It has no timeout;
      // mappersmith's types for import and for require do not know each other.
      const middlewares = [timeoutMiddleware(timeoutMs)] as unknown as Middlewares;
      const client = new SchemaRegistry({ host: url, middlewares, retry: { retries: 0 } });
      try {
        // It waits without end for the rest of a body that was cut; its own timeout ends when the
        // answer begins.
        const late = (): Error => new Error(`no whole answer within ${timeoutMs} ms`);
        const type: unknown = await withinDeadline(client.getSchema(id), timeoutMs, late);
        return type instanceof avsc.Type
          ? { kind: 'schema', type }
          : { kind: 'unusable', problem: 'it is not Avro' };
      } catch (cause) {
        return readAnswer(id, await askedFor(`schema ${id}`, whole.schemaById(id)), cause);
      }
    },
    async knowsAny(subjects) {
      for (const subject of subjects) {
        const { status, json, errorCode } = await askedFor(
          `subject ${subject}`,
          whole.versionsOf(subject),
        );
        if (status === 200 && Array.isArray(json)) return true;
        if (status !== 404 || errorCode !== registryCodes.unknownSubject)
          throw new InfrastructureError(
            `the registry answered ${status} when asked for the subject ${subject}`,
          );
      }
      return false;
    },
  };
}

/** The registry did not answer the question for one id. */
export interface NoAnswer {
  readonly kind: 'no-answer';
  readonly error: unknown;
}

const requestsAtOnce = 20;

/**
 * Asks the registry for each of these ids once, a few at a time; never throws. `onAnswer` is called
 * when an id's answer is there, or its request has failed.
 */
export async function askForSchemas(
  registry: RegistryClient,
  ids: readonly number[],
  onAnswer: (id: number, answer: SchemaAnswer | NoAnswer) => void,
): Promise<ReadonlyMap<number, SchemaAnswer | NoAnswer>> {
  const distinct = [...new Set(ids)];
  const answers = new Map<number, SchemaAnswer | NoAnswer>();
  const askOne = async (id: number): Promise<void> => {
    let answer: SchemaAnswer | NoAnswer;
    try {
      answer = await registry.schemaOf(id);
    } catch (error) {
      answer = { kind: 'no-answer', error };
    }
    answers.set(id, answer);
    onAnswer(id, answer);
  };
  for (let from = 0; from < distinct.length; from += requestsAtOnce)
    await Promise.all(distinct.slice(from, from + requestsAtOnce).map(askOne));
  return answers;
}

/**
 * The client drops the code that distinguishes an unknown id from a proxy's 404, and its errors do
 * not distinguish a schema that does not compile from an answer that never came. So the registry is
 * asked again past the client, and this one whole answer decides alone: the failure of one request
 * and the answer to the next are never put together.
 */
function readAnswer(
  id: number,
  { status, json: body, errorCode }: RegistryAnswer,
  cause: unknown,
): SchemaAnswer {
  if (status === 404 && errorCode === registryCodes.unknownSchema) return { kind: 'unknown' };
  if (status !== 200 || !holdsSchema(body))
    throw new InfrastructureError(
      `the registry gave no usable answer (${status}) for schema ${id}`,
      { cause },
    );
  const { schema, schemaType = 'AVRO', references = [] } = body;
  if (schemaType !== 'AVRO')
    return { kind: 'unusable', problem: `it is ${String(schemaType)}, not Avro` };
  // Only the client fetches what a schema references, and one of those requests may be what failed.
  if (!Array.isArray(references) || references.length > 0)
    throw new InfrastructureError(
      `schema ${id} cannot be fetched from the registry with its references`,
      { cause },
    );
  try {
    return { kind: 'schema', type: avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema) };
  } catch (error) {
    return { kind: 'unusable', problem: error instanceof Error ? error.message : String(error) };
  }
}

function holdsSchema(
  body: unknown,
): body is { schema: string; schemaType?: unknown; references?: unknown } {
  return (
    typeof body === 'object' && body !== null && 'schema' in body && typeof body.schema === 'string'
  );
}

async function askedFor(what: string, answer: Promise<RegistryAnswer>): Promise<RegistryAnswer> {
  try {
    return await answer;
  } catch (cause) {
    throw new InfrastructureError(`the registry does not answer when asked for ${what}`, { cause });
  }
}

/**
 * The SHA-256 of the schema's canonical form: equal for two texts that decode the same bytes alike.
 */
export function fingerprintOf(type: avsc.Type): string {
  return type.fingerprint('sha256').toString('hex');
}

/** The schema as text that stands by itself: what it references is written out. */
export function textOf(type: avsc.Type): string {
  return JSON.stringify(type.schema({ exportAttrs: true }));
}

/** An event's use of a schema id. */
export interface SchemaUse extends SchemaKey {
  readonly aggregateId: string;
}

/** What an id means for the events of one type. */
export type SchemaResolution =
  | { readonly kind: 'usable'; readonly reader: avsc.Type; readonly resolver: avsc.Resolver }
  /** The event's own fault. */
  | { readonly kind: 'invalid'; readonly problem: string }
  /** The registry's fault, or not clear yet: the event waits. */
  | { readonly kind: 'held'; readonly reason: string };

/** A schema id as messages, alarms and error filters name it. */
export function nameOf({ eventType, schemaId }: SchemaKey): string {
  return `schema id ${schemaId} of ${eventType}`;
}

/** Reads events of `writer` as `reader`; `invalid` when the two cannot be resolved. */
export function resolverOf(
  key: SchemaKey,
  reader: avsc.Type | undefined,
  writer: avsc.Type,
): SchemaResolution {
  if (reader === undefined)
    return { kind: 'invalid', problem: `${nameOf(key)}: this consumer does not read the type` };
  try {
    return { kind: 'usable', reader, resolver: reader.createResolver(writer) };
  } catch (error) {
    const { message } = describeError(error);
    return {
      kind: 'invalid',
      problem: `${nameOf(key)} does not resolve with the schema of this consumer: ${message}`,
    };
  }
}

/** How the registry contradicts what an id meant; undefined when it does not. */
export function contradictionOf(
  known: SchemaKey & { readonly fingerprint: string },
  answer: SchemaAnswer,
): string | undefined {
  const was = `its fingerprint was ${known.fingerprint}`;
  if (answer.kind === 'unknown')
    return `${nameOf(known)} is no longer known to the registry; ${was}`;
  if (answer.kind === 'unusable')
    return `${nameOf(known)} has changed: ${was}, now it cannot be used: ${answer.problem}`;
  const fingerprint = fingerprintOf(answer.type);
  if (fingerprint === known.fingerprint) return undefined;
  return `${nameOf(known)} has changed: ${was}, the registry now gives it the schema ${answer.type.name ?? '(no name)'}, fingerprint ${fingerprint}`;
}

/** Parses the JSON text of an Avro schema; throws when it is not one. */
export function parseSchema(schema: string): avsc.Type {
  return avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema);
}
