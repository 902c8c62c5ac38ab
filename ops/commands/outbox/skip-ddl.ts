import { setTimeout as delay } from 'node:timers/promises';
import {
  endDdlSkip,
  findBlockingIncident,
  namesOutbox,
  readRefusedDdl,
  skipRefusedDdl,
  waitUntilOutboxShipped,
  type ConnectApi,
} from '@board/relay';
import type { Command } from 'commander';
import { parseInteger } from '../../cli/arguments.ts';
import { printJson } from '../../cli/print.ts';
import { confirm, showProgress, stopOnSignal } from '../../cli/terminal.ts';
import { assertRelays, withOutbox, type OpenedOutbox, type OutboxFlags } from './with-outbox.ts';

/** Adds `outbox skip-ddl`. */
export function addSkipDdl(program: Command, example: (text: string) => string): void {
  program
    .command('skip-ddl')
    .description(
      'lets the connector pass over the statements that its parser refuses, each of them ' +
        'asked about',
    )
    .option('--other-database', 'a statement that names an outbox means that of another database')
    .option('--yes', 'do not ask for confirmation, not about further ones either')
    .option(
      '--timeout <seconds>',
      'how long to wait until the connector has shipped what was committed before',
      parseInteger,
      300,
    )
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
              `${connector} does not stand at a statement that Debezium cannot parse: nothing ` +
                'to pass over.',
            );
          if (json === true) printJson({ outcome: 'restored' });
          else
            console.log(
              'A skip that had not ended was taken back; the connector again refuses what it ' +
                'cannot parse.',
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
          onProgress: (line) => progress.print(line),
        });
        progress.done();
        if (result.kind !== 'passed')
          throw new Error(`The connector did not come to the present: ${result.reason}.`);
        if (json === true) printJson({ outcome: 'skipped', statements });
        else
          console.log('Passed over; the connector ships, and again refuses what it cannot parse.');
      };
      await withOutbox(flags, skip, stop);
    });
}

/** A task that the keeper has just restarted runs for a moment before it fails again. */
const patienceMs = 10_000;

/** Waits for the statement that the connector refuses; undefined when it refuses none. */
export async function findRefusedDdl(
  connect: Pick<ConnectApi, 'getStatus'>,
  connector: string,
  waitMs = patienceMs,
): Promise<string | undefined> {
  for (const deadline = performance.now() + waitMs; ; await delay(200)) {
    const statement = await readRefusedDdl(connect, connector);
    if (statement !== undefined || performance.now() >= deadline) return statement;
  }
}

/**
 * Throws when the statement names an outbox: after a change of the outbox that it has not seen, the
 * connector would put values under wrong columns.
 */
export function assertPassable(statement: string, isOfOtherDatabase: boolean): void {
  if (isOfOtherDatabase || !namesOutbox(statement)) return;
  throw new Error(
    'This statement may have changed the outbox, and the connector must not go on without ' +
      'knowing how. ' +
      'If it was run in another database, use --other-database. Else have the table read again: ' +
      'docs/runbook.md, ' +
      `"A refused statement".\n\n${statement}`,
  );
}
