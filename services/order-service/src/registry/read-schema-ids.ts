import type { EventSchema } from '@board/contracts';

const timeoutMs = 3_000;

/** The registry's id of each schema by subject; throws when one is not registered exactly as we have it. */
export async function readSchemaIds(
  registryUrl: string,
  schemas: readonly EventSchema[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const ids = schemas.map(
    async ({ subject, schema }) => [subject, await readId(registryUrl, subject, schema, signal)] as const,
  );
  return new Map(await Promise.all(ids));
}

/** A look-up finds our own version also when a newer one exists, as it does while services are upgraded one by one. */
async function readId(registryUrl: string, subject: string, schema: string, signal: AbortSignal): Promise<number> {
  const response = await fetch(`${registryUrl.replace(/\/$/, '')}/subjects/${encodeURIComponent(subject)}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema, schemaType: 'AVRO' }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`The registry does not know our schema of ${subject}: ${response.status} ${text}`);
  const answer: unknown = JSON.parse(text);
  if (typeof answer === 'object' && answer !== null && 'id' in answer && typeof answer.id === 'number')
    return answer.id;
  throw new Error(`The registry's answer for ${subject} has no id: ${text}`);
}
