import { printable } from '@board/service';

/** Why a task has failed, where the trace names something that has a recipe. */
export type Failure =
  /**
   * Debezium's parser does not know the statement, or not in this form; MySQL does, so it stands in
   * the binlog.
   */
  | { readonly kind: 'refused-statement'; readonly statement: string }
  /** A value of a row is not of the type that the connector believes its column to have. */
  | { readonly kind: 'misfit'; readonly problem: string }
  /**
   * The schema history is gone, or does not hold the outbox as its rows are. Restarts do not help:
   * `when_needed` rebuilds a lost position, but not a lost history; a new position does.
   */
  | { readonly kind: 'stale-history'; readonly problem: string };

// One line, the parser's remark, follows the statement, which may itself hold quotes and line ends
// and words such as "at"; then comes a frame of the stack, or the next remark on the same
// statement.
const refused =
  /DDL statement couldn't be parsed\..*? with the statement '([\s\S]*?)'\n[^\n]*\n(?:\tat \S+\.\S+\(|io\.debezium\.text\.)/;
const others = [
  ['misfit', /Failed to properly convert (?:data|default) value for '[^']*' of type [^\n]*/],
  ['stale-history', /Error processing row in \S+, internal schema size \d+, but row size \d+/],
  [
    'stale-history',
    /Encountered change event for table \S+ whose schema isn't known to this connector/,
  ],
  ['stale-history', /The db history topic is missing/],
] as const;

/** Finds the cause in the trace of a FAILED task; undefined for every other cause. */
export function classifyFailure(trace: string): Failure | undefined {
  const statement = refused.exec(trace)?.[1];
  if (statement !== undefined) return { kind: 'refused-statement', statement };
  // Not a misfit or a stale history: any words may stand in a statement that was not found.
  if (trace.includes("DDL statement couldn't be parsed")) return undefined;
  for (const [kind, pattern] of others) {
    const problem = pattern.exec(trace)?.[0];
    if (problem !== undefined) return { kind, problem };
  }
  return undefined;
}

/**
 * Explains a failure in one line with the cause and the recipe in the runbook; undefined for a
 * cause that has no recipe.
 */
export function explainFailure(trace: string): string | undefined {
  const failure = classifyFailure(trace);
  switch (failure?.kind) {
    case 'refused-statement':
      return `Debezium cannot parse the statement "${shorten(failure.statement)}": docs/runbook.md, "A refused statement"`;
    case 'misfit':
    case 'stale-history':
      return `${shorten(failure.problem)}: docs/runbook.md, "A row that does not fit"`;
    case undefined:
      return undefined;
  }
}

/** Names in one line the cause with its recipe, else the innermost cause of the trace. */
export function nameCause(trace: string): string {
  const lines = trace.split('\n');
  const innermost = lines.findLast((line) => line.startsWith('Caused by: ')) ?? lines[0] ?? '';
  return explainFailure(trace) ?? shorten(innermost.replace('Caused by: ', ''));
}

/** Whether a statement may have changed the outbox, in any database. */
export function namesOutbox(statement: string): boolean {
  return /outbox/i.test(statement);
}

function shorten(text: string): string {
  const line = printable(text.replaceAll(/\s+/g, ' ').trim());
  return line.length > 200 ? `${line.slice(0, 200)}...` : line;
}
