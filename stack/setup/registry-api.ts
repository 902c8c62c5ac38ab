import * as z from 'zod';

const timeoutMs = 10_000;
const contentType = 'application/vnd.schemaregistry.v1+json';

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
  const base = registryUrl.replace(/\/$/, '');

  function send(method: string, path: string, body?: object): Promise<Response> {
    return fetch(`${base}${path}`, {
      method,
      headers: { 'content-type': contentType, accept: contentType },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  async function call(method: string, path: string, body?: object): Promise<unknown> {
    const response = await send(method, path, body);
    if (response.status === 404) return undefined;
    const text = await response.text();
    if (!response.ok) throw new Error(`registry answered ${response.status} to ${method} ${path}: ${text}`);
    return JSON.parse(text);
  }

  const versionsOf = (subject: string): string => `/subjects/${encodeURIComponent(subject)}/versions`;

  return {
    async compatibilityOf(subject) {
      const answer = await call('GET', `/config/${encodeURIComponent(subject)}`);
      return answer === undefined ? undefined : compatibilityLevel.parse(answer).compatibilityLevel;
    },
    async setCompatibility(subject, level) {
      await call('PUT', `/config/${encodeURIComponent(subject)}`, { compatibility: level });
    },
    async has(subject, schema) {
      return (await call('POST', `/subjects/${encodeURIComponent(subject)}`, { schema })) !== undefined;
    },
    async isCompatible(subject, schema) {
      const answer = await call('POST', `/compatibility${versionsOf(subject)}`, { schema });
      return answer === undefined || compatibilityResult.parse(answer).is_compatible;
    },
    async refusalOf(subject, schema) {
      // Apicurio's compatibility check gives no reasons, only its refusal to register does.
      const response = await send('POST', versionsOf(subject), { schema });
      if (response.ok)
        throw new Error(`subject ${subject}: its compatibility level was changed while the schema was checked`);
      return refusal.parse(await response.json()).message;
    },
    async register(subject, schema) {
      return registered.parse(await call('POST', versionsOf(subject), { schema })).id;
    },
  };
}
