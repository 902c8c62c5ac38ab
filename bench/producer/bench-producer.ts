import type { StackAddresses } from '@board/test';
import { median } from '../print-comparison.ts';
import { measureLoad, type Load } from './measure-load.ts';
import { fillBoards, mains, startContender, type Contender } from './start-contender.ts';

/** The size of the measurement. */
export interface ProducerOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** Boards stored beforehand in the schema of the third contender. */
  readonly stored: number;
  readonly clients: readonly number[];
}

/** The rounds of one contender at one number of clients. */
export interface ProducerRow {
  readonly clients: number;
  readonly name: string;
  readonly loads: readonly Load[];
}

/**
 * Compares order-service with the usual service. The contenders take turns at every
 * number of clients; all of them run all the time, idle when it is not their turn.
 */
export async function benchProducer(
  stack: StackAddresses,
  options: ProducerOptions,
): Promise<ProducerRow[]> {
  const contenders: Contender[] = [];
  try {
    contenders.push(
      await startContender(
        stack,
        'save() of both entities, one transaction per request',
        mains.usual,
      ),
    );
    contenders.push(await startContender(stack, 'order-service', mains.ours));
    if (options.stored > 0)
      contenders.push(
        await startContender(
          stack,
          `order-service, ${options.stored} boards stored`,
          mains.ours,
          (schema) =>
            fillBoards(schema, options.stored, (stored) => {
              if (stored % 100_000 === 0) console.error(`${stored} boards stored`);
            }),
        ),
      );
    // Not measured: compilers and caches warm up.
    for (const contender of contenders)
      await measureLoad(contender, 16, Math.min(3, options.seconds));
    return await takeTurns(contenders, options);
  } finally {
    for (const contender of contenders) await contender.stop();
  }
}

async function takeTurns(
  contenders: readonly Contender[],
  options: ProducerOptions,
): Promise<ProducerRow[]> {
  const rows: ProducerRow[] = [];
  for (const clients of options.clients) {
    const loads = new Map(contenders.map((contender) => [contender, [] as Load[]]));
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const [contender, done] of loads) {
        const load = await measureLoad(contender, clients, options.seconds);
        done.push(load);
        const rate = Math.round(load.requestsPerSecond);
        console.error(
          `${clients} clients, round ${round}/${options.rounds}: ${contender.name}: ${rate} ` +
            'requests/s',
        );
      }
    }
    for (const [{ name }, done] of loads) rows.push({ clients, name, loads: done });
  }
  return rows;
}

/**
 * Prints medians of the rounds; the ratio is to the first contender at the same number of clients.
 */
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
