import { createHash } from 'node:crypto';
import type { EventSchema } from '@board/contracts';
import { createRegistryClient, registryCodes } from '@board/registry';
import avro from 'avsc';
import type { RegisteredSchema } from './registered-schema.ts';

const timeoutMs = 3_000;

type FoundSchemas =
  | { readonly kind: 'found'; readonly found: readonly RegisteredSchema[] }
  /** The registry itself says that it does not have them as we do. */
  | { readonly kind: 'missing'; readonly reason: string };

export interface Registry {
  /** Our schemas under their ids, or why there are none. */
  find(schemas: readonly EventSchema[]): Promise<FoundSchemas>;
  /** What an id means now; undefined when the registry does not know it. */
  fingerprintOf(id: number): Promise<string | undefined>;
}

/** Every method throws while the registry does not answer the question. */
export function connectRegistry(url: string, signal: AbortSignal): Registry {
  const client = createRegistryClient(url, { timeoutMs, signal });

  /**
   * A look-up finds our own version also when a newer one exists, as it does while services are
   * upgraded one by one.
   */
  async function findOne({ subject, schema }: EventSchema): Promise<RegisteredSchema | string> {
    const { status, text, json, errorCode } = await client.findSchema(subject, schema);
    if (status === 404 && errorCode !== undefined)
      return `The registry does not know our schema of ${subject}: ${status} ${text}`;
    const id = status === 200 ? field(json, 'id') : undefined;
    if (typeof id !== 'number')
      throw new Error(`The registry's answer for ${subject} has no id: ${status} ${text}`);
    const own = fingerprintOf(schema);
    // A registry that was emptied and filled behind its back gives ids that still mean something
    // else when they are read.
    const now = await fingerprintById(id);
    if (now === own) return { id, subject, fingerprint: own };
    return `The registry gives our schema of ${subject} the id ${id}, under which it has ${now ?? 'nothing'}: restart the registry`;
  }

  async function fingerprintById(id: number): Promise<string | undefined> {
    const { status, text, json, errorCode } = await client.schemaById(id);
    if (status === 404 && errorCode === registryCodes.unknownSchema) return undefined;
    const schema = status === 200 ? field(json, 'schema') : undefined;
    if (typeof schema === 'string') return fingerprintOf(schema);
    throw new Error(`The registry gave no answer for schema id ${id}: ${status} ${text}`);
  }

  return {
    async find(schemas) {
      const answers = await Promise.all(schemas.map(findOne));
      const missing = answers.filter((answer) => typeof answer === 'string');
      return missing.length > 0
        ? { kind: 'missing', reason: missing.join('; ') }
        : { kind: 'found', found: answers.filter((answer) => typeof answer !== 'string') };
    },
    fingerprintOf: fingerprintById,
  };
}

/**
 * SHA-256 of the canonical form; of the text itself when that is not Avro, so that it equals no
 * schema of ours.
 */
export function fingerprintOf(schema: string): string {
  try {
    return avro.Type.forSchema(JSON.parse(schema)).fingerprint('sha256').toString('hex');
  } catch {
    return createHash('sha256').update(schema).digest('hex');
  }
}

function field(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null
    ? (json as Record<string, unknown>)[name]
    : undefined;
}
