import { Command } from 'commander';
import { benchApply } from './apply.ts';
import { printComparison } from './print-comparison.ts';
import { readRunningStack } from './read-running-stack.ts';

const program = new Command('npm run bench --')
  .description('Measures ratios within one run; rates alone mean nothing on a machine that does other things too')
  .option('--instance <name>', 'a running stack', 'main')
  .option('--json', 'for programs');

program
  .command('apply')
  .description('applying in batches against one transaction per message, with and without failing events')
  .option('--rounds <n>', 'how often each contender runs, in turn', Number, 3)
  .option('--records <n>', 'records of a batched round; a tenth of it for one transaction per message', Number, 50_000)
  .action(async ({ rounds, records }: { rounds: number; records: number }) => {
    const { instance, json } = program.opts<{ instance: string; json?: true }>();
    printComparison(await benchApply(readRunningStack(instance), { rounds, records }), json === true);
  });

await program.parseAsync();
