import type { Database } from '@board/mysql';
import type { RegisteredSchema, SchemaMemory } from '../registry/registered-schema.ts';

interface Row {
  readonly schema_id: number;
  readonly subject: string;
  readonly fingerprint: string;
}

/** Which schema each id meant when this service first wrote events with it. */
export function createSchemaMemory(database: Database): SchemaMemory {
  return {
    async read() {
      const rows: readonly Row[] = await database.read((manager) =>
        manager.query(
          'SELECT schema_id, subject, fingerprint FROM event_schema ORDER BY used_from, schema_id',
        ),
      );
      return rows.map(({ schema_id: id, subject, fingerprint }) => ({ id, subject, fingerprint }));
    },
    async remember(schemas: readonly RegisteredSchema[]) {
      if (schemas.length === 0) return;
      const now = new Date();
      // Another instance may be first; the one that is there stays, and the next look compares with
      // it.
      await database.transaction((manager) =>
        manager.query(
          'INSERT IGNORE INTO event_schema (schema_id, subject, fingerprint, used_from) VALUES ?',
          [schemas.map(({ id, subject, fingerprint }) => [id, subject, fingerprint, now])],
        ),
      );
    },
  };
}
