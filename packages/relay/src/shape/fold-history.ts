import * as z from 'zod';

/**
 * The columns of one table, in order, as the schema history holds them; undefined when it does not
 * hold the table.
 */
export type RecordedColumns = readonly string[] | undefined;

const change = z.object({
  type: z.string(),
  id: z.string(),
  previousId: z.string().nullish(),
  table: z
    .object({ columns: z.array(z.object({ name: z.string(), position: z.number() })) })
    .nullish(),
});

const historyRecord = z.object({ tableChanges: z.array(change).nullish() });

/** Debezium's id of a table in MySQL. */
export function tableIdOf(database: string, table: string): string {
  return `"${database}"."${table}"`;
}

/**
 * What the history holds of a table after one more of its records; of what is no record of the
 * history Debezium takes no notice either.
 */
export function foldHistory(
  before: RecordedColumns,
  value: string,
  tableId: string,
): RecordedColumns {
  const parsed = historyRecord.safeParse(toJson(value));
  if (!parsed.success) return before;
  let columns = before;
  for (const { type, id, previousId, table } of parsed.data.tableChanges ?? []) {
    // Renamed away, and perhaps another one into its place.
    if (previousId === tableId && id !== tableId) columns = undefined;
    if (id !== tableId) continue;
    columns =
      type === 'DROP'
        ? undefined
        : table?.columns.toSorted((a, b) => a.position - b.position).map(({ name }) => name);
  }
  return columns;
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
