import { aggregates, eventSchemas } from '@board/contracts';
import { runMigrations } from '@board/mysql';
import { createTestSchema, databaseEnvironment, type TestSchema } from '@board/test';
import { inject, onTestFinished } from 'vitest';
import { migrations } from '../../src/database/migrations.ts';

export interface Prepared extends TestSchema {
  /** What the service needs, with a database user that may do no more than in production. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * A migrated database of the test's own, on the stack's server or another one, and the schemas in
 * the registry.
 */
export async function prepareOrderService(
  mysql = inject('stack').mysql,
  schemaName?: string,
): Promise<Prepared> {
  const { registryUrl } = inject('stack');
  const schema = await createTestSchema({ mysql }, schemaName);
  onTestFinished(schema.drop);
  const { host, port, name } = schema.connection;
  await runMigrations(schema.connection, migrations);
  await Promise.all(
    eventSchemas.map((event) => register(registryUrl, event.subject, event.schema)),
  );

  const user = name.slice(0, 32);
  const password = 'only-for-this-test';
  await schema.root.query("CREATE USER ?@'localhost' IDENTIFIED BY ?", [user, password]);
  onTestFinished(async () => void (await schema.root.query("DROP USER ?@'localhost'", [user])));
  await schema.root.query("GRANT SELECT, INSERT ON ??.* TO ?@'localhost'", [name, user]);
  for (const { table } of aggregates)
    await schema.root.query("GRANT UPDATE ON ??.?? TO ?@'localhost'", [name, table, user]);

  const env = {
    ...databaseEnvironment({ host, port, name, user, password }),
    REGISTRY_URL: registryUrl,
  };
  return { ...schema, env };
}

/** Registers the schemas; has no effect for those that are registered. */
async function register(registryUrl: string, subject: string, schema: string): Promise<void> {
  const response = await fetch(`${registryUrl}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema }),
  });
  if (!response.ok) throw new Error(`${subject}: ${response.status} ${await response.text()}`);
}
