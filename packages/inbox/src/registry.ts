import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import timeoutMiddleware from 'mappersmith/middleware/timeout';

/** The registry's own code for 'no schema has this id'. */
const unknownSchemaCode = 40403;

type Middlewares = NonNullable<ConstructorParameters<typeof SchemaRegistry>[0]['middlewares']>;

export interface SchemaSource {
  /** The compiled schema; undefined when the registry knows none by this id, or none that compiles; throws when it cannot tell. */
  find(id: number): Promise<unknown>;
}

/** Schemas by id, each fetched once; a miss is not remembered, because the schema can be registered any time. */
export function connectRegistry(url: string, timeoutMs: number): SchemaSource {
  // The client has no timeout of its own; mappersmith's types for import and for require do not know each other.
  const middlewares = [timeoutMiddleware(timeoutMs)] as unknown as Middlewares;
  const registry = new SchemaRegistry({ host: url, middlewares, retry: { retries: 0 } });
  return {
    async find(id) {
      try {
        return await registry.getSchema(id);
      } catch (error) {
        if (await saysUnusable(url, id, timeoutMs)) return undefined;
        throw error;
      }
    },
  };
}

/**
 * Asks again, past the client: it drops the code that tells an unknown id from a wrong path or a proxy's 404, and its errors
 * do not tell a schema that cannot be compiled from an answer that never came.
 */
async function saysUnusable(url: string, id: number, timeoutMs: number): Promise<boolean> {
  const response = await fetch(`${url}/schemas/ids/${id}`, { signal: AbortSignal.timeout(timeoutMs) });
  const body: unknown = await response.json();
  if (typeof body !== 'object' || body === null) return false;
  return response.ok
    ? 'schema' in body && typeof body.schema === 'string'
    : 'error_code' in body && body.error_code === unknownSchemaCode;
}
