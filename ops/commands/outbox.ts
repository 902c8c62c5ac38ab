import {
  boardOutbox,
  findBlockingIncident,
  endDdlSkip,
  findOtherTable,
  findOpenIncident,
  rebuildPosition,
  skipRefusedDdl,
  waitUntilOutboxShipped,
  type ConnectApi,
} from '@board/relay';
import {
  consumers,
  keeperMemoryTopic,
  moveConsumers,
  type ConsumerDefinition,
} from '@board/contracts';
import type { Session } from '@board/mysql';
import { describeKept, minRetentionMs, outboxStatus, purgeKeys, purgeOutbox } from '@board/outbox';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { showProgress } from '../cli/progress.ts';
import { confirm } from '../cli/confirm.ts';
import { parseDuration, parseText, parseWholeNumber } from '../cli/parse.ts';
import { counted, printJson, rowPrinter } from '../cli/print.ts';
import { createProgram, runProgram } from '../cli/program.ts';
import { stopOnSignal } from '../cli/stop-on-signal.ts';
import { forgetEventSchemas, readEventSchemas } from './outbox/event-schemas.ts';
import { assertPassable, findRefusedDdl } from './outbox/find-refused-ddl.ts';
import { readStatus } from './outbox/read-status.ts';
import { statusText } from './outbox/status-text.ts';
import {
  outboxServers,
  withOutbox,
  type OpenedOutbox,
  type OutboxFlags,
} from './outbox/with-outbox.ts';

const cannotTell = 2;
const example = (text: string): string => `\nExample: npm run outbox -- ${text}`;

const program = createProgram({
  name: 'npm run outbox --',
  description: 'Shows and purges the outbox of order-service and its idempotency keys',
  servers: outboxServers,
  exitCodes:
    '0 done, 1 failed or not possible as things are, 2 cannot tell, or the command was given wrongly.',
})
  .option('--connector <name>', 'whose position proves what was shipped', boardOutbox.name)
  .option('--memory-topic <name>', "the keeper's memory", keeperMemoryTopic.name)
  .option(
    '--consumer-database <consumer=database>',
    'where the tables of a consumer are, when not in its own database; more after commas',
    parseConsumers,
  );

program
  .command('status')
  .description('how much the outbox holds, what is not shipped yet, and when it was purged')
  .addHelpText('after', example('status'))
  .action(async (_options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<OutboxFlags>();
    await withOutbox(flags, async (opened) => {
      const status = await readStatus(opened, flags.connector);
      if (flags.json === true) printJson(status);
      else console.log(statusText(status, new Date()));
    });
  });

program
  .command('purge')
  .description(
    'deletes rows that are old and proven to be in Kafka, and idempotency keys of more than 24 hours',
  )
  .addOption(
    new Option('--older-than <duration>', 'at least 60m')
      .argParser(parseRetention)
      .default(parseRetention('7d'), '7d'),
  )
  .option('--dry-run', 'proves and counts, deletes nothing')
  .option(
    '--timeout <seconds>',
    'for the connector to come as far as the rows',
    parseWholeNumber,
    60,
  )
  .addHelpText(
    'after',
    `${example('purge --older-than 36h --dry-run')}\n\nCtrl-C stops it after the chunk under way; the same command goes on from there.`,
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
          progress.say(`waiting until the connector ${connector} has come as far as the rows`);
          return waitUntilOutboxShipped({
            ...wait,
            blockedBy: findBlockingIncident(memory, 'purge'),
          });
        },
        retentionMs: olderThan,
        signal,
        dryRun,
        onProgress: (rows) => progress.say(`${counted(rows, 'row')} deleted`),
      });
      // Keys belong to no event: they go whatever the connector says.
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
          `${counted(outcome.rows, 'row')} ${dryRun ? 'would be ' : ''}deleted, ${counted(keys, 'idempotency key')} deleted.`,
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
    "settles the keeper's suspicion that something was passed over; a clean audit does that by itself",
  )
  .requiredOption('--reason <text>', 'how you know that nothing is missing; it is kept', parseText)
  .option('--yes', 'does not ask')
  .addHelpText('after', example('acknowledge --reason "test server, its data does not matter"'))
  .action(async (_options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<{ reason: string; yes?: true } & OutboxFlags>();
    await withOutbox(flags, async ({ memory }) => {
      const open = findOpenIncident((await memory.read()) ?? {});
      if (open === undefined) {
        if (flags.json === true) printJson({ outcome: 'nothing-open' });
        else console.log('Nothing is suspected.');
        process.exitCode = 1;
        return;
      }
      await confirm(`Settle it without an audit? Since ${open.at}: ${open.reason}.`, flags.yes);
      const at = new Date().toISOString();
      await memory.remember({
        closure: { suspicion: open.id, at, by: 'operator', reason: flags.reason },
      });
      if (flags.json === true) printJson({ outcome: 'settled', incident: open });
      else console.log('Settled: the keeper is quiet within seconds.');
    });
  });

program
  .command('skip-ddl')
  .description(
    'lets the connector pass over the statements that its parser refuses, each of them asked about',
  )
  .option('--other-database', 'a statement that names an outbox means that of another database')
  .option('--yes', 'does not ask, about further ones neither')
  .option('--timeout <seconds>', 'for the connector to come to the present', parseWholeNumber, 300)
  .addHelpText('after', example('skip-ddl'))
  .action(async (_options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<
      { otherDatabase?: true; yes?: true; timeout: number } & OutboxFlags
    >();
    const progress = showProgress();
    const stop = new AbortController();
    const skip = async ({ session, connect, memory }: OpenedOutbox): Promise<void> => {
      const { connector, timeout, json } = flags;
      await assertRelays(connect, session, connector);
      const statement = await findRefusedDdl(connect, connector);
      if (statement === undefined) {
        if (!(await endDdlSkip(connect, connector)))
          throw new Error(
            `${connector} does not stand at a statement that Debezium cannot parse: nothing to pass over.`,
          );
        if (json === true) printJson({ outcome: 'restored' });
        else
          console.log(
            'A skip that had not ended was taken back; the connector again refuses what it cannot parse.',
          );
        return;
      }
      const statements: string[] = [];
      const approve = async (refused: string): Promise<void> => {
        assertPassable(refused, flags.otherDatabase === true);
        await confirm(`Pass over this statement?\n\n${refused}\n\n`, flags.yes);
        stop.signal.throwIfAborted();
        statements.push(refused);
      };
      await approve(statement);
      const wait = { connect, mysql: session.query, connector, timeoutMs: timeout * 1_000 };
      const stopped = AbortSignal.any([stopOnSignal(), stop.signal]);
      const result = await skipRefusedDdl({
        connect,
        connector,
        statement,
        approve,
        awaitShipped: (signal) =>
          waitUntilOutboxShipped({
            ...wait,
            signal: AbortSignal.any([stopped, signal]),
            blockedBy: findBlockingIncident(memory, 'audit'),
          }),
        onProgress: (line) => progress.say(line),
      });
      progress.done();
      if (result !== 'passed')
        throw new Error(`The connector did not come to the present: ${result.cannotTell}.`);
      if (json === true) printJson({ outcome: 'skipped', statements });
      else console.log('Passed over; the connector ships, and again refuses what it cannot parse.');
    };
    await withOutbox(flags, skip, stop);
  });

program
  .command('redrive')
  .description(
    "has the connector ship every row of the outbox again; the consumers' marks remove the copies",
  )
  .option('--timeout <seconds>', 'for the connector to have shipped them', parseWholeNumber, 600)
  .option('--yes', 'does not ask')
  .addHelpText(
    'after',
    `${example('redrive')}\n\nIt rebuilds the connector's position and its idea of the outbox's columns. Afterwards: npm run audit`,
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
        `Stop the connector ${connector}, forget its position and ship ${counted(rows, 'row')} again?`,
        flags.yes,
      );
      progress.say('rebuilding the position');
      await rebuildPosition(connect, connector);
      progress.say(`waiting until ${counted(rows, 'row')} are shipped`);
      const shipped = await waitUntilOutboxShipped({
        connect,
        mysql: session.query,
        connector,
        timeoutMs: timeout * 1_000,
        signal,
      });
      progress.done();
      if (flags.json === true)
        printJson({ outcome: shipped === 'passed' ? 'shipped' : 'cannot-tell', rows });
      else if (shipped === 'passed')
        console.log(`${counted(rows, 'row')} shipped again. Now: npm run audit`);
      if (shipped === 'passed') return;
      console.error(
        `The position is rebuilt, but whether all is shipped cannot be told yet: ${shipped.cannotTell}.`,
      );
      process.exitCode = cannotTell;
    });
  });

program
  .command('schemas')
  .description('which schema each id meant when order-service first wrote events with it')
  .option('--forget', 'forgets them: order-service takes the ids that the registry gives it now')
  .option('--yes', 'does not ask')
  .addHelpText(
    'after',
    `${example('schemas --forget')}\n\nFirst let each consumer keep what it stored: npm run inbox -- schemas --keep-stored, with --consumer for each but the first`,
  )
  .action(async (_options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<{ forget?: true; yes?: true } & OutboxFlags>();
    await withOutbox(flags, async ({ session }) => {
      const schemas = await readEventSchemas(session);
      if (flags.forget === true) {
        if (schemas.length > 0) {
          const ids = schemas.map(({ schemaId, subject }) => `${schemaId} (${subject})`).join(', ');
          await confirm(`Let order-service forget what these ids meant: ${ids}?`, flags.yes);
          await forgetEventSchemas(session);
        }
        if (flags.json === true) printJson({ outcome: 'forgotten', schemas });
        else console.log(`${counted(schemas.length, 'schema id')} forgotten.`);
        return;
      }
      const row = rowPrinter({ ID: 10, SUBJECT: 36, FINGERPRINT: 64 });
      for (const one of schemas) {
        if (flags.json === true) printJson(one);
        else row([one.schemaId, one.subject, one.fingerprint]);
      }
      if (flags.json !== true && schemas.length === 0)
        console.log('No schema id is remembered yet.');
    });
  });

await runProgram(program);

/**
 * Before anything is done to it: the connector of another outbox would be restarted, or lose its
 * position.
 */
async function assertRelays(
  connect: ConnectApi,
  { query: mysql }: Session,
  connector: string,
): Promise<void> {
  const other = await findOtherTable({ connect, mysql, connector });
  if (other !== undefined) throw new Error(`Nothing was done: ${other}.`);
}

function parseRetention(text: string): number {
  const retentionMs = parseDuration(text);
  if (retentionMs >= minRetentionMs) return retentionMs;
  throw new InvalidArgumentError('It wants at least 60m: younger rows may be needed once more.');
}

function parseConsumers(text: string): readonly ConsumerDefinition[] {
  const moved = moveConsumers(text);
  if (moved !== undefined) return moved;
  const names = consumers.map(({ name }) => name).join(', ');
  throw new InvalidArgumentError(
    `It wants <consumer>=<database>, more after commas; the consumers are ${names}.`,
  );
}
