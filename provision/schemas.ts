import { eventSchemas, schemaCompatibility, type EventSchema } from '@board/contracts';
import { registryApi, type RegistryApi } from './registry-api.ts';

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

  // All are checked before the first is registered: half a set of schemas helps nobody.
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
