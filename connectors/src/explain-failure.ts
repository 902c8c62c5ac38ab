/** Why a task has failed, where the trace names something that an operator has to decide about. */
export type Failure =
  /** Debezium's parser knows the statement not, or not in this form: valid in MySQL, so it stands in the binlog. */
  | { readonly kind: 'refused-statement'; readonly statement: string }
  /** A row of the outbox does not fit the columns that the connector believes the table to have. */
  | { readonly kind: 'misfit'; readonly problem: string };

// One line, the parser's remark, follows the statement, which may itself hold quotes and line ends; then comes the stack,
// or the next remark on the same statement.
const refused =
  /DDL statement couldn't be parsed\..*? with the statement '([\s\S]*?)'\n[^\n]*\n(?:\s+at |io\.debezium\.)/;
const misfits = [
  /Failed to properly convert (?:data|default) value for '[^']*' of type [^\n]*/,
  /Error processing row in \S+, internal schema size \d+, but row size \d+/,
  /Encountered change event for table \S+ whose schema isn't known to this connector/,
];

/** Finds the cause in the trace of a FAILED task; undefined for every other cause. */
export function classifyFailure(trace: string): Failure | undefined {
  const statement = refused.exec(trace)?.[1];
  if (statement !== undefined) return { kind: 'refused-statement', statement };
  for (const misfit of misfits) {
    const problem = misfit.exec(trace)?.[0];
    if (problem !== undefined) return { kind: 'misfit', problem };
  }
  return undefined;
}

/** One line that names the cause and the recipe in the runbook; undefined where the trace says it better. */
export function explainFailure(trace: string): string | undefined {
  const failure = classifyFailure(trace);
  switch (failure?.kind) {
    case 'refused-statement':
      return `Debezium cannot parse the statement "${shorten(failure.statement)}": docs/runbook.md, "A refused statement"`;
    case 'misfit':
      return `${shorten(failure.problem)}: docs/runbook.md, "A row that does not fit"`;
    case undefined:
      return undefined;
  }
}

/** A statement that may have changed the outbox, in whichever database it was run. */
export function namesOutbox(statement: string): boolean {
  return /outbox/i.test(statement);
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 200)}...` : line;
}
