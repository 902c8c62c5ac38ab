import type { EventSchema } from '@board/contracts';
import { connectRegistry } from '../../src/registry/registered-schemas.ts';

/**
 * The registry's id of each schema by subject; throws when one is not registered exactly as we have
 * it.
 */
export async function readSchemaIds(
  registryUrl: string,
  schemas: readonly EventSchema[],
): Promise<ReadonlyMap<string, number>> {
  const answer = await connectRegistry(registryUrl, AbortSignal.timeout(10_000)).find(schemas);
  if (answer.kind === 'missing') throw new Error(answer.reason);
  return new Map(answer.found.map(({ subject, id }) => [subject, id]));
}
