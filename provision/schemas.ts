import { eventSchemas, schemaCompatibility, type EventSchema } from '@board/contracts';
import { createRegistryClient, type RegistryAnswer } from '@board/registry';
import * as z from 'zod';

type SubjectSchema = Pick<EventSchema, 'subject' | 'schema'>;

/**
 * Registers the schemas that are not there yet; refuses all of them when one cannot live with its
 * earlier versions.
 */
export async function registerSchemas(
  registryUrl: string,
  schemas: readonly SubjectSchema[] = eventSchemas,
): Promise<string[]> {
  const registry = registryApi(registryUrl);
  const changes: string[] = [];
  for (const { subject } of schemas) {
    if ((await registry.compatibilityOf(subject)) === schemaCompatibility) continue;
    // Before the first version, so that no version of a subject was ever accepted under a weaker
    // rule.
    await registry.setCompatibility(subject, schemaCompatibility);
    changes.push(`subject ${subject}: compatibility ${schemaCompatibility}`);
  }

  const unknown: SubjectSchema[] = [];
  for (const schema of schemas)
    if (!(await registry.has(schema.subject, schema.schema))) unknown.push(schema);

  // All are checked before the first is registered: half a set of schemas is of no use.
  await refuseIncompatible(registry, unknown);
  for (const { subject, schema } of unknown) {
    changes.push(
      `subject ${subject}: registered with id ${await registry.register(subject, schema)}`,
    );
  }
  return changes;
}

async function refuseIncompatible(
  registry: RegistryApi,
  schemas: readonly SubjectSchema[],
): Promise<void> {
  const refusals: string[] = [];
  for (const { subject, schema } of schemas) {
    if (await registry.isCompatible(subject, schema)) continue;
    refusals.push(`subject ${subject}: ${await registry.refusalOf(subject, schema)}`);
  }
  if (refusals.length > 0) throw new Error(`nothing was registered.\n${refusals.join('\n')}`);
}

const timeoutMs = 10_000;

const compatibilityLevel = z.object({ compatibilityLevel: z.string() });
const compatibilityResult = z.object({ is_compatible: z.boolean() });
const refusal = z.object({ message: z.string() });
const registered = z.object({ id: z.number() });

/** What the setup needs of a registry that speaks Confluent's REST API. */
interface RegistryApi {
  /** The subject's own level; undefined when it has none. */
  compatibilityOf(subject: string): Promise<string | undefined>;
  setCompatibility(subject: string, level: string): Promise<void>;
  /** Whether this very schema is a version of the subject. */
  has(subject: string, schema: string): Promise<boolean>;
  /** Asks all versions of the subject, not only the latest. */
  isCompatible(subject: string, schema: string): Promise<boolean>;
  /** The registry's words against a schema that `isCompatible` has found unfit. */
  refusalOf(subject: string, schema: string): Promise<string>;
  /** Registers the schema and returns its id. */
  register(subject: string, schema: string): Promise<number>;
}

/** Opens the API at `registryUrl`, such as `http://127.0.0.1:8081/apis/ccompat/v7`. */
function registryApi(registryUrl: string): RegistryApi {
  const client = createRegistryClient(registryUrl, { timeoutMs });

  return {
    async compatibilityOf(subject) {
      const answer = unlessUnknown(
        `the compatibility level of ${subject}`,
        await client.compatibilityOf(subject),
      );
      return answer === undefined ? undefined : compatibilityLevel.parse(answer).compatibilityLevel;
    },
    async setCompatibility(subject, level) {
      unlessUnknown(
        `a compatibility level for ${subject}`,
        await client.setCompatibility(subject, level),
      );
    },
    async has(subject, schema) {
      return (
        unlessUnknown(`our schema of ${subject}`, await client.findSchema(subject, schema)) !==
        undefined
      );
    },
    async isCompatible(subject, schema) {
      const answer = await client.checkCompatibility(subject, schema);
      const json = unlessUnknown(`the compatibility of our schema with ${subject}`, answer);
      return json === undefined || compatibilityResult.parse(json).is_compatible;
    },
    async refusalOf(subject, schema) {
      // Apicurio's compatibility check gives no reasons, only its refusal to register does.
      const { status, json } = await client.registerSchema(subject, schema);
      if (isSuccess(status))
        throw new Error(
          `subject ${subject}: its compatibility level was changed while the schema was checked`,
        );
      return refusal.parse(json).message;
    },
    async register(subject, schema) {
      const answer = await client.registerSchema(subject, schema);
      return registered.parse(unlessUnknown(`the registration of our schema of ${subject}`, answer))
        .id;
    },
  };
}

/** Undefined for 404; throws for every other refusal. */
function unlessUnknown(asked: string, { status, text, json }: RegistryAnswer): unknown {
  if (status === 404) return undefined;
  if (!isSuccess(status))
    throw new Error(`registry answered ${status} when asked for ${asked}: ${text}`);
  return json;
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
