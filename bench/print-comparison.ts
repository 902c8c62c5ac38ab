/** Rates of one contender, one figure a round, in events a second. */
interface Contender {
  readonly name: string;
  readonly rates: readonly number[];
}

/** What is compared in one run. */
export interface Comparison {
  readonly title: string;
  /** The rates of the others are divided by its rates. */
  readonly baseline: Contender;
  readonly contenders: readonly Contender[];
}

/** Prints medians, their ratios to the baseline and the rates of the rounds. */
export function printComparison(
  { title, baseline, contenders }: Comparison,
  asJson: boolean,
): void {
  const base = median(baseline.rates);
  const rows = [baseline, ...contenders].map(({ name, rates }) => ({
    name,
    medianPerSecond: Math.round(median(rates)),
    ratio: Number((median(rates) / base).toFixed(2)),
    rounds: rates.map(Math.round).join(' '),
  }));
  if (asJson) console.log(JSON.stringify({ title, rows }));
  else {
    console.log(title);
    console.table(rows);
  }
}

/** The middle value; a busy moment of the machine spoils one round, not the median. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
