import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { baseline, findTopicGaps, rebuild, type TopicGap } from '@board/inbox';
import type { Command } from 'commander';
import { z } from 'zod';
import { requireFile } from '../../cli/arguments.ts';
import { counted, printJson } from '../../cli/print.ts';
import { confirm } from '../../cli/terminal.ts';
import { deleteRows, type SeedRow } from '../consumer/consumers.ts';
import { noOwnRows, withOperator, type ConsumerFlags } from '../consumer/with-operator.ts';

/** Adds `inbox baseline`. */
export function addBaseline(program: Command, example: (text: string) => string): void {
  program
    .command('baseline')
    .description(
      'seeds marks and rows of a consumer that has never started, for a topic that no longer ' +
        'holds everything',
    )
    .argument(
      '<file>',
      'JSON lines {"aggregateId", "version", "eventId", "data"}, or - for standard input',
    )
    .option('--yes', 'do not ask for confirmation')
    .addHelpText('after', example('baseline boards.jsonl'))
    .action(async (file: string, _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<{ yes?: true } & ConsumerFlags>();
      if (file !== '-') await requireFile('baseline', file);
      await confirm(`Seed the inbox of ${flags.consumer} from ${file}?`, flags.yes);
      await withOperator(flags, async ({ operator, consumer }) => {
        const seed = consumer.kind === 'named' ? consumer.seed : undefined;
        if (seed === undefined) throw noOwnRows(flags);
        const done = await baseline(operator, readBaseline(file), seed);
        if (flags.json === true) printJson(done);
        if (done.outcome === 'seeded') {
          if (flags.json !== true)
            console.log(`Seeded ${counted(done.marks, 'aggregate')}. Start the consumer.`);
          return;
        }
        console.error(
          done.outcome === 'has-marks'
            ? 'Nothing was seeded: there are marks already. "rebuild" deletes them.'
            : 'Nothing was seeded: the consumer group has members or committed offsets, so it ' +
                'has started before.',
        );
        process.exitCode = 1;
      });
    });
}

const ascii = /^[\x21-\x7e]+$/;

const line = z.object({
  aggregateId: z.string().regex(ascii).max(64),
  version: z
    .int()
    .min(1)
    .max(2 ** 32 - 1),
  /** Absent when it is not known any more. */
  eventId: z.string().regex(ascii).max(36).optional(),
  data: z.unknown().optional(),
});

/**
 * Reads the rows of a baseline from a file or, for `-`, from standard input: one JSON document per
 * line. Throws with the number of the line that is wrong.
 */
export async function* readBaseline(file: string): AsyncGenerator<SeedRow> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  let number = 0;
  for await (const text of createInterface({ input, crlfDelay: Infinity })) {
    number += 1;
    if (text.trim() === '') continue;
    const { eventId = '', data, ...row } = parseLine(text, number);
    yield { ...row, eventId, data };
  }
}

function parseLine(text: string, number: number): z.output<typeof line> {
  try {
    const parsed = line.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new Error(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is wrong'}`);
  } catch (cause) {
    throw new Error(`line ${number} of the baseline cannot be used`, { cause });
  }
}

/** Adds `inbox rebuild`. */
export function addRebuild(program: Command, example: (text: string) => string): void {
  program
    .command('rebuild')
    .description(
      'deletes marks, parked records and rows, and lets the consumer start from the earliest ' +
        'record; skips stay',
    )
    .option('--yes', 'do not ask for confirmation')
    .option(
      '--shortened',
      'although the source topic no longer holds everything; what it lacks cannot come back',
    )
    .addHelpText('after', `${example('rebuild')}\n\nStop every instance of the consumer first.`)
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<{ yes?: true; shortened?: true } & ConsumerFlags>();
      await withOperator(flags, async ({ operator, consumer }) => {
        if (consumer.kind !== 'named') throw noOwnRows(flags);
        const { sourceTopic, tables } = consumer;
        const { gaps } = await findTopicGaps(operator, sourceTopic);
        if (gaps.length > 0 && flags.shortened !== true) return refuseShortened(gaps, flags);
        const lost = gaps.length === 0 ? '' : `${formatGaps(gaps)}\n`;
        await confirm(
          `${lost}Delete all rows and marks of ${flags.consumer} and apply everything again?`,
          flags.yes,
        );
        const done = await rebuild(operator, {
          sourceTopic,
          deleteRows: (tx) => deleteRows(tx, tables),
          // Only of gaps that the question named.
          acceptGaps: gaps.length > 0,
        });
        if (done.outcome === 'has-gaps') return refuseShortened(done.gaps, flags);
        if (flags.json === true) printJson(done);
        if (done.outcome === 'emptied') {
          if (flags.json !== true)
            console.log(
              `Deleted ${counted(done.marks, 'mark')} and ` +
                `${counted(done.parked, 'parked record')}. Start the consumer.`,
            );
          return;
        }
        console.error(
          `Nothing was deleted: the consumer's groups have ${counted(done.members, 'member')}. ` +
            'Stop every instance first.',
        );
        process.exitCode = 1;
      });
    });
}

function refuseShortened(gaps: readonly TopicGap[], { json }: ConsumerFlags): void {
  if (json === true) printJson({ outcome: 'has-gaps', gaps });
  console.error(
    'Nothing was deleted: the topic no longer holds everything that was ' +
      `applied.\n${formatGaps(gaps)}\n` +
      'If the tables are wrong all the same: --shortened deletes them and applies what is left. ' +
      'Before the consumer ' +
      'starts, "baseline" seeds the aggregates from a file.',
  );
  process.exitCode = 2;
}

/** What the topic lacks, one line per gap. */
function formatGaps(gaps: readonly TopicGap[]): string {
  return gaps.map((gap) => `  ${formatGap(gap)}`).join('\n');
}

function formatGap(gap: TopicGap): string {
  switch (gap.kind) {
    case 'begins-late':
      return (
        `${gap.topic}/${gap.partition} begins at offset ${gap.low}: aggregates whose ` +
        'events were before it cannot come back.'
      );
    case 'missing':
      return `${gap.reason}: aggregates whose events were among them cannot come back.`;
    case 'too-few':
      return (
        `${gap.topic} holds ${counted(gap.records, 'record')}, and ` +
        `${counted(gap.applied, 'event')} ` +
        'were applied: what is not there cannot come back.'
      );
  }
}
