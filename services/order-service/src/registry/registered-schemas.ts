import { createHash } from 'node:crypto';
import type { EventSchema } from '@board/contracts';
import type { Database } from '@board/mysql';
import { createRegistryClient, registryCodes } from '@board/registry';
import avro from 'avsc';

/** A schema under the id that the registry gave it. */
export interface RegisteredSchema {
  readonly id: number;
  readonly subject: string;
  /** SHA-256 of the schema's canonical form. */
  readonly fingerprint: string;
}

const timeoutMs = 3_000;

type FoundSchemas =
  | { readonly kind: 'found'; readonly found: readonly RegisteredSchema[] }
  /** The registry answers that it does not have the schemas as `contracts` defines them. */
  | { readonly kind: 'missing'; readonly reason: string };

type FoundSchema =
  | { readonly kind: 'found'; readonly schema: RegisteredSchema }
  | { readonly kind: 'missing'; readonly reason: string };

/** The schema registry, as far as this service asks it. */
export interface Registry {
  /** The schemas under their ids, or why they have none. */
  find(schemas: readonly EventSchema[]): Promise<FoundSchemas>;
  /** The fingerprint of the schema that an id means now; undefined for an unknown id. */
  fingerprintOf(id: number): Promise<string | undefined>;
}

/** Every method throws while the registry does not answer. */
export function connectRegistry(url: string, signal: AbortSignal): Registry {
  const client = createRegistryClient(url, { timeoutMs, signal });

  /**
   * Finds the version of this service also when a newer one exists, as it does while services are
   * upgraded one by one.
   */
  async function findOne({ subject, schema }: EventSchema): Promise<FoundSchema> {
    const { status, text, json, errorCode } = await client.findSchema(subject, schema);
    if (status === 404 && errorCode !== undefined)
      return missing(`The registry does not know our schema of ${subject}: ${status} ${text}`);
    const id = status === 200 ? field(json, 'id') : undefined;
    if (typeof id !== 'number')
      throw new Error(`The registry's answer for ${subject} has no id: ${status} ${text}`);
    const own = fingerprintOf(schema);
    // A registry whose topic was emptied and filled while it ran gives ids that still mean another
    // schema when they are read.
    const now = await fingerprintById(id);
    if (now === own) return { kind: 'found', schema: { id, subject, fingerprint: own } };
    return missing(
      `The registry gives our schema of ${subject} the id ${id}, under which it has ${now ?? 'nothing'}: restart the registry`,
    );
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
      const reasons = answers.flatMap((one) => (one.kind === 'missing' ? [one.reason] : []));
      return reasons.length > 0
        ? missing(reasons.join('; '))
        : {
            kind: 'found',
            found: answers.flatMap((one) => (one.kind === 'found' ? [one.schema] : [])),
          };
    },
    fingerprintOf: fingerprintById,
  };
}

function missing(reason: string) {
  return { kind: 'missing', reason } as const;
}

/**
 * SHA-256 of the schema's canonical form, in hex; of the text itself when that is not Avro, so that
 * it equals no schema of this service.
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

/** What this service remembers of the ids that it has written events with. */
export interface SchemaMemory {
  /** Oldest first. */
  read(): Promise<readonly RegisteredSchema[]>;
  /** Does not change an id that is there already. */
  remember(schemas: readonly RegisteredSchema[]): Promise<void>;
}

interface MemoryRow {
  readonly schema_id: number;
  readonly subject: string;
  readonly fingerprint: string;
}

/** The table `event_schema`: which schema each id meant when it was first used. */
export function createSchemaMemory(database: Database): SchemaMemory {
  return {
    async read() {
      const rows: readonly MemoryRow[] = await database.read((manager) =>
        manager.query(
          'SELECT schema_id, subject, fingerprint FROM event_schema ORDER BY used_from, schema_id',
        ),
      );
      return rows.map(({ schema_id: id, subject, fingerprint }) => ({ id, subject, fingerprint }));
    },
    async remember(schemas: readonly RegisteredSchema[]) {
      if (schemas.length === 0) return;
      const now = new Date();
      // Another instance may be first: its row stays, and the next check compares with it.
      await database.transaction((manager) =>
        manager.query(
          'INSERT IGNORE INTO event_schema (schema_id, subject, fingerprint, used_from) VALUES ?',
          [schemas.map(({ id, subject, fingerprint }) => [id, subject, fingerprint, now])],
        ),
      );
    },
  };
}
