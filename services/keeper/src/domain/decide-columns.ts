/**
 * The outbox's columns, names in order: as the database has them, and as the connector's schema
 * history does.
 */
export interface Columns {
  readonly table: readonly string[];
  /** Undefined: the history does not hold the outbox. */
  readonly history: readonly string[] | undefined;
}

/** A difference, and since when it has been there. */
export interface Difference {
  readonly columns: Columns;
  readonly sinceMs: number;
}

export type ColumnDecision =
  | { readonly kind: 'same' }
  /** The connector may not have read as far as the change yet. */
  | { readonly kind: 'wait'; readonly difference: Difference }
  /** An incident, if the relay has passed all that had happened when it was seen first. */
  | { readonly kind: 'ask-fence'; readonly difference: Difference };

/** Decides what to do when table and history differ; a difference that changes is a new one. */
export function decideColumns(
  before: Difference | undefined,
  columns: Columns,
  nowMs: number,
  waitMs = 60_000,
): ColumnDecision {
  if (areSame(columns.table, columns.history)) return { kind: 'same' };
  const isKnown =
    before !== undefined &&
    areSame(before.columns.table, columns.table) &&
    areSame(before.columns.history, columns.history);
  const difference = isKnown ? before : { columns, sinceMs: nowMs };
  return nowMs - difference.sinceMs < waitMs
    ? { kind: 'wait', difference }
    : { kind: 'ask-fence', difference };
}

/** Whether two lists of columns have the same names in the same order. */
export function areSame(
  a: readonly string[] | undefined,
  b: readonly string[] | undefined,
): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Names only the columns that differ, five at most. */
export function describeDifference({ table, history }: Columns): string {
  if (history === undefined) return 'the schema history of the connector does not hold the outbox';
  const differing = Array.from(
    { length: Math.max(table.length, history.length) },
    (_, index) => index,
  )
    .filter((index) => table[index] !== history[index])
    .map(
      (index) =>
        `column ${index + 1} is ${table[index] ?? 'none'}, for the connector ${history[index] ?? 'none'}`,
    );
  return `the outbox has other columns than the connector believes: ${differing.slice(0, 5).join('; ')}`;
}
