import { createRegistryClient, type RegistryAnswer } from '@board/registry';
import * as z from 'zod';

const timeoutMs = 10_000;

const compatibilityLevel = z.object({ compatibilityLevel: z.string() });
const compatibilityResult = z.object({ is_compatible: z.boolean() });
const refusal = z.object({ message: z.string() });
const registered = z.object({ id: z.number() });

/** What the setup needs of a registry that speaks Confluent's REST API. */
export interface RegistryApi {
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
export function registryApi(registryUrl: string): RegistryApi {
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
