import { createHash } from 'node:crypto';
import type { EventSchema } from '@board/contracts';
import avro from 'avsc';
import type { RegisteredSchema } from './registered-schema.ts';

const timeoutMs = 3_000;
const unknownSchemaCode = 40403;

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
  const base = url.replace(/\/$/, '');

  async function ask(path: string, body?: object): Promise<{ status: number; text: string; json: unknown }> {
    const response = await fetch(base + path, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'Content-Type': 'application/vnd.schemaregistry.v1+json' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const text = await response.text();
    return { status: response.status, text, json: parseJson(text) };
  }

  /** A look-up finds our own version also when a newer one exists, as it does while services are upgraded one by one. */
  async function findOne({ subject, schema }: EventSchema): Promise<RegisteredSchema | string> {
    const { status, text, json } = await ask(`/subjects/${encodeURIComponent(subject)}`, {
      schema,
      schemaType: 'AVRO',
    });
    if (status === 404 && typeof field(json, 'error_code') === 'number')
      return `The registry does not know our schema of ${subject}: ${status} ${text}`;
    const id = status === 200 ? field(json, 'id') : undefined;
    if (typeof id !== 'number') throw new Error(`The registry's answer for ${subject} has no id: ${status} ${text}`);
    const own = fingerprintOf(schema);
    // A registry that was emptied and filled behind its back gives ids that still mean something else when they are read.
    const now = await fingerprintById(id);
    if (now === own) return { id, subject, fingerprint: own };
    return `The registry gives our schema of ${subject} the id ${id}, under which it has ${now ?? 'nothing'}: restart the registry`;
  }

  async function fingerprintById(id: number): Promise<string | undefined> {
    const { status, text, json } = await ask(`/schemas/ids/${id}`);
    if (status === 404 && field(json, 'error_code') === unknownSchemaCode) return undefined;
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

/** SHA-256 of the canonical form; of the text itself when that is not Avro, so that it equals no schema of ours. */
export function fingerprintOf(schema: string): string {
  try {
    return avro.Type.forSchema(JSON.parse(schema)).fingerprint('sha256').toString('hex');
  } catch {
    return createHash('sha256').update(schema).digest('hex');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function field(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null ? (json as Record<string, unknown>)[name] : undefined;
}
