/**
 * The outbox's columns, names in order: as the database has them, and as the connector's schema
 * history does.
 */
export interface Shapes {
  readonly table: readonly string[];
  /** Undefined: the history does not hold the outbox. */
  readonly history: readonly string[] | undefined;
}

/** A difference, and since when it has been there. */
export interface Difference {
  readonly shapes: Shapes;
  readonly sinceMs: number;
}

export type ShapeDecision =
  | { readonly kind: 'same' }
  /** The connector may not have read as far as the change yet. */
  | { readonly kind: 'wait'; readonly difference: Difference }
  /** An incident, if the relay has passed all that had happened when it was seen first. */
  | { readonly kind: 'ask-fence'; readonly difference: Difference };

/** Decides what to do about the outbox's two shapes; a difference that changes is a new one. */
export function decideShape(
  before: Difference | undefined,
  shapes: Shapes,
  nowMs: number,
  waitMs = 60_000,
): ShapeDecision {
  if (areSame(shapes.table, shapes.history)) return { kind: 'same' };
  const isKnown =
    before !== undefined &&
    areSame(before.shapes.table, shapes.table) &&
    areSame(before.shapes.history, shapes.history);
  const difference = isKnown ? before : { shapes, sinceMs: nowMs };
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
export function describeDifference({ table, history }: Shapes): string {
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
