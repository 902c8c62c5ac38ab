import { median } from './median.ts';

/** Rates of one contender, one figure a round, in events a second. */
interface Contender {
  readonly name: string;
  readonly rates: readonly number[];
}

export interface Comparison {
  readonly title: string;
  /** What the others are divided by. */
  readonly baseline: Contender;
  readonly contenders: readonly Contender[];
}

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
