import type { Database } from '@board/database-kit';

/** The version of each event that is stored, by its id. */
export async function findEvents(database: Database, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows: { id: string; version: number }[] = await database.read((manager) =>
    manager.query('SELECT id, version FROM outbox WHERE id IN (?)', [ids]),
  );
  return new Map(rows.map(({ id, version }) => [id, version]));
}
