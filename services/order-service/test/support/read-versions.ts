import { aggregates } from '@board/contracts';
import type { TestSchema } from '@board/test';

/** By aggregate: the version of its row, and those of its events in the order of the outbox. */
export async function readVersions(
  root: TestSchema['root'],
): Promise<Readonly<Record<string, { readonly row: number; readonly events: readonly number[] }>>> {
  const read = async (sql: string) => {
    const [rows] = await root.query(sql);
    return rows as { id: string; version: number }[];
  };
  const boards = await read(
    aggregates.map(({ table }) => `SELECT id, version FROM ${table}`).join(' UNION ALL '),
  );
  const events = Map.groupBy(
    await read('SELECT aggregateid AS id, version FROM outbox ORDER BY seq'),
    ({ id }) => id,
  );
  const ids = new Set([...boards.map(({ id }) => id), ...events.keys()]);
  const rows = new Map(boards.map(({ id, version }) => [id, version]));
  return Object.fromEntries(
    [...ids].map((id) => [
      id,
      { row: rows.get(id) ?? 0, events: (events.get(id) ?? []).map(({ version }) => version) },
    ]),
  );
}
