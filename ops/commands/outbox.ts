import {
  consumers,
  keeperMemoryTopic,
  moveConsumers,
  type ConsumerDefinition,
} from '@board/contracts';
import { describeKept, minRetentionMs, outboxStatus, purgeKeys, purgeOutbox } from '@board/outbox';
import {
  boardOutbox,
  findBlockingIncident,
  findOpenIncident,
  rebuildPosition,
  waitUntilOutboxShipped,
} from '@board/relay';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { parseDuration, parseInteger, parseText } from '../cli/arguments.ts';
import { counted, printJson } from '../cli/print.ts';
import { createProgram, runProgram } from '../cli/program.ts';
import { confirm, showProgress, stopOnSignal } from '../cli/terminal.ts';
import { addSchemas } from './outbox/schemas.ts';
import { addSkipDdl } from './outbox/skip-ddl.ts';
import { addStatus } from './outbox/status.ts';
import { assertRelays, outboxServers, withOutbox, type OutboxFlags } from './outbox/with-outbox.ts';

const cannotTell = 2;
const example = (text: string): string => `\nExample: npm run outbox -- ${text}`;

const program = createProgram({
  name: 'npm run outbox --',
  description: 'Shows and purges the outbox of order-service and its idempotency keys',
  servers: outboxServers,
  exitCodes:
    '0 done, 1 failed or not possible as things are, 2 cannot tell, or the command was given ' +
    'wrongly.',
})
  .option('--connector <name>', 'whose position proves what was shipped', boardOutbox.name)
  .option('--memory-topic <name>', "the keeper's memory", keeperMemoryTopic.name)
  .option(
    '--consumer-database <consumer=database>',
    'where the tables of a consumer are, when not in its own database; more after commas',
    parseConsumers,
  );

addStatus(program, example);

program
  .command('purge')
  .description(
    'deletes rows that are old and proven to be in Kafka, and idempotency keys of more ' +
      'than 24 hours',
  )
  .addOption(
    new Option('--older-than <duration>', 'at least 60m')
      .argParser(parseRetention)
      .default(parseRetention('7d'), '7d'),
  )
  .option('--dry-run', 'proves and counts, deletes nothing')
  .option(
    '--timeout <seconds>',
    'how long to wait until the connector has shipped the rows',
    parseInteger,
    60,
  )
  .addHelpText(
    'after',
    `${example('purge --older-than 36h --dry-run')}\n\nCtrl-C stops it after the chunk under ` +
      'way; the same command goes on from there.',
  )
  .action(async (_options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<
      { olderThan: number; dryRun?: true; timeout: number } & OutboxFlags
    >();
    const progress = showProgress();
    const signal = stopOnSignal();
    await withOutbox(flags, async ({ session, connect, memory, findUnreceived }) => {
      const { connector, timeout, olderThan, dryRun = false, json } = flags;
      const wait = { connect, mysql: session.query, connector, timeoutMs: timeout * 1_000, signal };
      const outcome = await purgeOutbox({
        session,
        findUnreceived,
        awaitShipped: () => {
          progress.print(`waiting until the connector ${connector} has shipped the rows`);
          return waitUntilOutboxShipped({
            ...wait,
            blockedBy: findBlockingIncident(memory, 'purge'),
          });
        },
        retentionMs: olderThan,
        signal,
        dryRun,
        onProgress: (rows) => progress.print(`${counted(rows, 'row')} deleted`),
      });
      // Keys belong to no event: they are deleted whatever the connector has shipped.
      const keys = dryRun || signal.aborted ? 0 : await purgeKeys({ session, signal });
      if (outcome.kind === 'done' && !dryRun) {
        await memory.remember({
          purged: { at: new Date().toISOString(), rows: outcome.rows, keys },
        });
      }
      progress.done();
      if (json === true) printJson({ ...outcome, keys, dryRun });
      else
        console.log(
          `${counted(outcome.rows, 'row')} ${dryRun ? 'would be ' : ''}deleted, ` +
            `${counted(keys, 'idempotency key')} deleted.`,
        );
      if (outcome.kind === 'stopped') process.exitCode = 1;
      const stays = describeKept(outcome.kept);
      if (stays !== undefined) {
        console.error(stays);
        process.exitCode = 1;
      }
      if (outcome.kind !== 'refused') return;
      console.error(
        `Cannot tell what was shipped, so nothing more was deleted: ${outcome.reason}.`,
      );
      process.exitCode = cannotTell;
    });
  });

program
  .command('acknowledge')
  .description(
    "closes the keeper's incident, that events may have been passed over; a clean audit does " +
      'that by itself',
  )
  .requiredOption(
    '--reason <text>',
    'how you know that nothing is missing; the reason is stored',
    parseText,
  )
  .option('--yes', 'do not ask for confirmation')
  .addHelpText('after', example('acknowledge --reason "test server, its data does not matter"'))
  .action(async (_options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<{ reason: string; yes?: true } & OutboxFlags>();
    await withOutbox(flags, async ({ memory }) => {
      const open = findOpenIncident((await memory.read()) ?? {});
      if (open === undefined) {
        if (flags.json === true) printJson({ outcome: 'nothing-open' });
        else console.log('No incident is open.');
        process.exitCode = 1;
        return;
      }
      await confirm(
        `Close the incident without an audit? Since ${open.at}: ${open.reason}.`,
        flags.yes,
      );
      const at = new Date().toISOString();
      await memory.remember({
        closure: { suspicion: open.id, at, by: 'operator', reason: flags.reason },
      });
      if (flags.json === true) printJson({ outcome: 'closed', incident: open });
      else console.log('Closed: the alarm of the keeper clears within seconds.');
    });
  });

addSkipDdl(program, example);

program
  .command('redrive')
  .description(
    "has the connector ship every row of the outbox again; the consumers' marks remove the copies",
  )
  .option(
    '--timeout <seconds>',
    'how long to wait until the connector has shipped the rows',
    parseInteger,
    600,
  )
  .option('--yes', 'do not ask for confirmation')
  .addHelpText(
    'after',
    `${example('redrive')}\n\nIt rebuilds the connector's position and its idea of the outbox's ` +
      'columns. Afterwards: npm run audit',
  )
  .action(async (_options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<{ timeout: number; yes?: true } & OutboxFlags>();
    const progress = showProgress();
    const signal = stopOnSignal();
    await withOutbox(flags, async ({ session, connect }) => {
      const { connector, timeout } = flags;
      await assertRelays(connect, session, connector);
      const { rows } = await outboxStatus(session);
      await confirm(
        `Stop the connector ${connector}, forget its position and ship ` +
          `${counted(rows, 'row')} again?`,
        flags.yes,
      );
      progress.print('rebuilding the position');
      await rebuildPosition(connect, connector);
      progress.print(`waiting until ${counted(rows, 'row')} are shipped`);
      const shipped = await waitUntilOutboxShipped({
        connect,
        mysql: session.query,
        connector,
        timeoutMs: timeout * 1_000,
        signal,
      });
      progress.done();
      if (flags.json === true)
        printJson({ outcome: shipped.kind === 'passed' ? 'shipped' : 'cannot-tell', rows });
      else if (shipped.kind === 'passed')
        console.log(`${counted(rows, 'row')} shipped again. Now: npm run audit`);
      if (shipped.kind === 'passed') return;
      console.error(
        'The position is rebuilt, but whether all is shipped cannot be told yet: ' +
          `${shipped.reason}.`,
      );
      process.exitCode = cannotTell;
    });
  });

addSchemas(program, example);

await runProgram(program);

function parseRetention(text: string): number {
  const retentionMs = parseDuration(text);
  if (retentionMs >= minRetentionMs) return retentionMs;
  throw new InvalidArgumentError('It must be at least 60m: younger rows may be needed once more.');
}

function parseConsumers(text: string): readonly ConsumerDefinition[] {
  const moved = moveConsumers(text);
  if (moved !== undefined) return moved;
  const names = consumers.map(({ name }) => name).join(', ');
  throw new InvalidArgumentError(
    `It must be <consumer>=<database>, more after commas; the consumers are ${names}.`,
  );
}
