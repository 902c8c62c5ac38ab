import type { StackAddresses } from '@board/test';
import { fillBoards } from './fill-boards.ts';
import { measureLoad, type Load } from './measure-load.ts';
import type { ProducerRow } from './print-producer.ts';
import { mains, startContender, type Contender } from './start-contender.ts';

export interface ProducerOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** Boards stored beforehand in the schema of the third contender. */
  readonly stored: number;
  readonly clients: readonly number[];
}

/**
 * The contenders take turns at every number of clients; all of them run all the time, idle when it
 * is not their turn.
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
    // Compilers and caches warm up.
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
          `${clients} clients, round ${round}/${options.rounds}: ${contender.name}: ${rate} requests/s`,
        );
      }
    }
    for (const [{ name }, done] of loads) rows.push({ clients, name, loads: done });
  }
  return rows;
}
