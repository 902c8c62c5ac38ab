import { readStack, startCommand } from '@board/stack';
import { addressesOf, type StackAddresses } from '@board/test';
import { Command } from 'commander';
import { benchApply } from './bench-apply.ts';
import { benchScale } from './bench-scale.ts';
import { printComparison } from './print-comparison.ts';
import { benchProducer, printProducer, type ProducerOptions } from './producer/bench-producer.ts';

const program: Command = new Command('npm run bench --')
  .description(
    'Measures ratios within one run; rates alone mean nothing on a machine that does other ' +
      'things too',
  )
  .option('--instance <name>', 'a running stack', 'main')
  .option('--json', 'for programs');

program
  .command('apply')
  .description(
    'applying in batches against one transaction per message, with and without failing events',
  )
  .option('--rounds <n>', 'how often each contender runs, in turn', Number, 3)
  .option(
    '--records <n>',
    'records of a batched round; a tenth of it for one transaction per message',
    Number,
    50_000,
  )
  .action(async ({ rounds, records }: { rounds: number; records: number }) => {
    const { instance, json } = program.opts<{ instance: string; json?: true }>();
    printComparison(
      await benchApply(readRunningStack(instance), { rounds, records }),
      json === true,
    );
  });

program
  .command('scale')
  .description('applying a backlog with one, two and three instances of the consumer')
  .option('--rounds <n>', 'how often each contender runs, in turn', Number, 3)
  .option('--records <n>', 'records of a round', Number, 50_000)
  .action(async ({ rounds, records }: { rounds: number; records: number }) => {
    const { instance, json } = program.opts<{ instance: string; json?: true }>();
    printComparison(
      await benchScale(readRunningStack(instance), { rounds, records }),
      json === true,
    );
  });

program
  .command('producer')
  .description(
    'posting boards: order-service against a save() of both entities in one transaction per ' +
      'request',
  )
  .option(
    '--rounds <n>',
    'how often each contender runs at each number of clients, in turn',
    Number,
    3,
  )
  .option('--seconds <n>', 'length of a round', Number, 8)
  .option(
    '--stored <n>',
    'boards stored beforehand for the third contender; 0 leaves it out',
    Number,
    1_000_000,
  )
  .option(
    '--clients <list>',
    'numbers of concurrent clients',
    (list) => list.split(',').map(Number),
    [1, 64, 256],
  )
  .action(async (options: ProducerOptions) => {
    const { instance, json } = program.opts<{ instance: string; json?: true }>();
    printProducer(await benchProducer(readRunningStack(instance), options), json === true);
  });

await program.parseAsync();

/**
 * The addresses of the running native stack; without one the program ends and says how to start it.
 */
function readRunningStack(instance: string): StackAddresses {
  const stack = readStack(instance);
  if (!stack)
    program.error(
      `The stack "${instance}" does not run: start it with "${startCommand({ name: instance })}".`,
    );
  return addressesOf(stack);
}
