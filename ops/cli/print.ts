/** Prints one JSON document per line. */
export function printJson(value: unknown): void {
  console.log(JSON.stringify(value));
}

/**
 * Returns a function that prints one row of a table, the head before the first row. The widths are
 * given, because rows are printed before all of them are known.
 */
export function rowPrinter(
  columns: Readonly<Record<string, number>>,
): (cells: readonly (string | number)[]) => void {
  const widths = Object.values(columns);
  let head: readonly string[] | undefined = Object.keys(columns);
  const line = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell, column) => String(cell).padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return (cells) => {
    if (head !== undefined) console.log(line(head));
    head = undefined;
    console.log(line(cells));
  };
}

const longestText = 160;

/** The first line of a text, at most 160 characters; an ellipsis shows that it was cut. */
export function shorten(text: string): string {
  const [line = ''] = text.split('\n');
  return line.length > longestText ? `${line.slice(0, longestText)}…` : line;
}

/** `1 copy`, `2 copies`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `version 9`, `versions 9 to 12`. */
export function versionSpan(first: number | null, last: number | null): string {
  return first === last ? `version ${first}` : `versions ${first} to ${last}`;
}

/** ISO 8601 of milliseconds since the epoch. */
export function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** A duration in ms as text: `90 s`, `5 min`, `2.0 h`. */
export function age(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`;
}

/** Prints the outcome of a command: a sentence, or the result as JSON with --json. */
export function printOutcome<Outcome extends string>(
  { json }: { readonly json?: true },
  result: { readonly outcome: Outcome } & Record<string, unknown>,
  sentences: Readonly<Record<Outcome, string>>,
): void {
  if (json === true) printJson(result);
  else console.log(sentences[result.outcome]);
}
