import { readFile } from 'node:fs/promises';
import {
  compareSchemas,
  forgetKnown,
  keepStored,
  refuseSchema,
  storeSchema,
  type ComparedSchema,
  type Operator,
} from '@board/inbox';
import { InvalidArgumentError, type Command } from 'commander';
import { confirm } from '../../cli/terminal.ts';
import { parseText, requireFile } from '../../cli/arguments.ts';
import { counted, printJson, rowPrinter } from '../../cli/print.ts';
import { UsageError } from '../../cli/program.ts';
import { withOperator, type ConsumerFlags } from '../consumer/with-operator.ts';

interface SchemaFlags extends ConsumerFlags {
  readonly type?: string;
  readonly id?: number;
  readonly keepStored?: true;
  readonly forget?: true;
  readonly store?: string;
  readonly refuse?: true;
  readonly yes?: true;
}

/**
 * Adds `inbox schemas`: what the consumer has stored of the registry's schemas, and which of the
 * two holds where they differ.
 */
export function addSchemas(program: Command, example: (text: string) => string): void {
  program
    .command('schemas')
    .description(
      'compares what each schema id meant with the registry; decides what holds where they differ',
    )
    .option('--type <event type>', 'only this event type', parseText)
    .option('--id <n>', 'only this schema id', parseSchemaId)
    .option(
      '--keep-stored',
      "uses the consumer's own text for ids that the registry lost or gave to another type",
    )
    .option('--forget', 'forgets them: the next event learns from the registry as it is then')
    .option(
      '--store <file>',
      'stores the Avro schema of --type and --id, whatever the registry says',
    )
    .option('--refuse', 'dead-letters the events of --type with --id')
    .option('--yes', 'do not ask for confirmation')
    .addHelpText(
      'after',
      `${example('schemas --keep-stored')}\n\nExit code 1: something differs and is not ` +
        'decided, or the registry does not answer.',
    )
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<SchemaFlags>();
      const verbs = (['keepStored', 'forget', 'store', 'refuse'] as const).filter(
        (verb) => flags[verb] !== undefined,
      );
      if (verbs.length > 1)
        throw new UsageError(
          'use one of --keep-stored, --forget, --store and --refuse, not several',
        );
      if (flags.store !== undefined) await requireFile('store', flags.store);
      await withOperator(flags, ({ operator, registryUrl }) =>
        run(verbs[0] ?? 'list', flags, operator, registryUrl),
      );
    });
}

type Verb = 'list' | 'keepStored' | 'forget' | 'store' | 'refuse';

async function run(
  verb: Verb,
  flags: SchemaFlags,
  operator: Operator,
  registryUrl: string,
): Promise<void> {
  const filter = {
    ...(flags.type === undefined ? {} : { eventType: flags.type }),
    ...(flags.id === undefined ? {} : { schemaId: flags.id }),
  };
  switch (verb) {
    case 'list':
      return list(await compareSchemas(operator, registryUrl, filter), flags);
    case 'keepStored': {
      const compared = await compareSchemas(operator, registryUrl, filter);
      const undecided = compared.filter(isOpen);
      if (undecided.length > 0)
        await confirm(
          `Use the stored text for these ids from now on: ${undecided.map(nameOf).join(', ')}?`,
          flags.yes,
        );
      const kept = await keepStored(operator, undecided);
      const left = undecided.filter((one) => !kept.includes(one));
      done(
        flags,
        'kept',
        kept,
        `${counted(kept.length, 'schema')} kept: a waiting consumer goes on within seconds.`,
      );
      for (const one of left) console.error(`Not kept: ${nameOf(one)}: ${whyNot(one)}`);
      if (left.length > 0) process.exitCode = 1;
      return;
    }
    case 'forget': {
      const compared = await compareSchemas(operator, registryUrl, filter);
      if (compared.length > 0)
        await confirm(
          `Forget what these ids meant: ${compared.map(nameOf).join(', ')}?`,
          flags.yes,
        );
      await forgetKnown(operator, compared);
      return done(flags, 'forgotten', compared, `${counted(compared.length, 'schema')} forgotten.`);
    }
    case 'store': {
      const { key, name } = oneOf(flags, '--store');
      const text = await readFile(flags.store ?? '', 'utf8');
      await confirm(`Read events of ${name} with the schema in ${flags.store}?`, flags.yes);
      const fingerprint = await storeSchema(operator, key, text).catch((cause: unknown) => {
        throw new Error(`${flags.store} holds no Avro schema`, { cause });
      });
      return done(
        flags,
        'stored',
        [{ ...key, fingerprint }],
        `Stored: ${name} has the fingerprint ${fingerprint}.`,
      );
    }
    case 'refuse': {
      const { key, name } = oneOf(flags, '--refuse');
      await confirm(`Dead-letter every event of ${name}?`, flags.yes);
      await refuseSchema(operator, key);
      return done(flags, 'refused', [key], `Refused: events of ${name} become dead letters.`);
    }
  }
}

function list(compared: readonly ComparedSchema[], flags: SchemaFlags): void {
  const row = rowPrinter({ 'EVENT TYPE': 24, ID: 10, REGISTRY: 9, DECISION: 8, FINGERPRINT: 64 });
  for (const one of compared) {
    if (flags.json === true) printJson(one);
    else row([one.eventType, one.schemaId, one.registry, one.decision, one.fingerprint ?? '-']);
  }
  if (flags.json !== true && compared.length === 0) console.log('No schema is remembered yet.');
  if (flags.json !== true)
    for (const { problem } of compared.filter(isOpen))
      if (problem !== undefined) console.log(problem);
  if (compared.some(isOpen)) process.exitCode = 1;
}

function done(flags: SchemaFlags, outcome: string, schemas: readonly object[], text: string): void {
  if (flags.json === true) printJson({ outcome, schemas });
  else console.log(text);
}

/** The registry differs or does not answer, and no decision is stored. */
function isOpen({ decision, registry }: ComparedSchema): boolean {
  return decision === 'registry' && registry !== 'same';
}

function whyNot({ registry, problem }: ComparedSchema): string {
  return registry === 'ambiguous'
    ? 'the registry has another schema of the same record under this id, and an event does not ' +
        'tell which of the two wrote it; give the registry the old ids back'
    : `the registry does not answer: ${problem ?? ''}`;
}

function nameOf({
  eventType,
  schemaId,
}: {
  readonly eventType: string;
  readonly schemaId: number;
}): string {
  return `${eventType} ${schemaId}`;
}

function oneOf({ type, id }: SchemaFlags, option: string) {
  if (type === undefined || id === undefined)
    throw new UsageError(`${option} also needs --type and --id`);
  return {
    key: { eventType: type, schemaId: id },
    name: nameOf({ eventType: type, schemaId: id }),
  };
}

function parseSchemaId(text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) < 2 ** 31) return Number(text);
  throw new InvalidArgumentError('It must be an integer from 0 to 2147483647.');
}
