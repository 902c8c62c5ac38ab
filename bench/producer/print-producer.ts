import { median } from '../median.ts';
import type { Load } from './measure-load.ts';

export interface ProducerRow {
  readonly clients: number;
  readonly name: string;
  readonly loads: readonly Load[];
}

/** Medians of the rounds; the ratio is to the first contender at the same number of clients. */
export function printProducer(rows: readonly ProducerRow[], asJson: boolean): void {
  const lines = rows.map(({ clients, name, loads }) => {
    const of = (field: keyof Load): number => median(loads.map((load) => load[field]));
    const base =
      rows.find((row) => row.clients === clients)?.loads.map((load) => load.requestsPerSecond) ??
      [];
    return {
      clients,
      name,
      requestsPerSecond: Math.round(of('requestsPerSecond')),
      ratio: Number((of('requestsPerSecond') / median(base)).toFixed(2)),
      p50Ms: of('p50Ms'),
      p99Ms: of('p99Ms'),
      cpuMsPerRequest: Number(of('cpuMsPerRequest').toFixed(3)),
      commitsPerSecond: Math.round(of('commitsPerSecond')),
      rounds: loads.map((load) => Math.round(load.requestsPerSecond)).join(' '),
    };
  });
  if (asJson) console.log(JSON.stringify({ title: 'Posting boards', rows: lines }));
  else console.table(lines);
}
