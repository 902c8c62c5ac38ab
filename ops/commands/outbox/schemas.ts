import type { Session } from '@board/mysql';
import type { Command } from 'commander';
import { counted, printJson, rowPrinter } from '../../cli/print.ts';
import { confirm } from '../../cli/terminal.ts';
import { withOutbox, type OutboxFlags } from './with-outbox.ts';

/** Adds `outbox schemas`. */
export function addSchemas(program: Command, example: (text: string) => string): void {
  program
    .command('schemas')
    .description('which schema each id meant when order-service first wrote events with it')
    .option('--forget', 'forgets them: order-service takes the ids that the registry gives it now')
    .option('--yes', 'do not ask for confirmation')
    .addHelpText(
      'after',
      `${example('schemas --forget')}\n\nFirst let each consumer keep what it stored: npm run ` +
        'inbox -- schemas --keep-stored, with --consumer for each but the first',
    )
    .action(async (_options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<{ forget?: true; yes?: true } & OutboxFlags>();
      await withOutbox(flags, async ({ session }) => {
        const schemas = await readEventSchemas(session);
        if (flags.forget === true) {
          if (schemas.length > 0) {
            const ids = schemas
              .map(({ schemaId, subject }) => `${schemaId} (${subject})`)
              .join(', ');
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
}

/** A schema id, and what it meant when order-service first used it. */
interface EventSchemaRow {
  readonly schemaId: number;
  readonly subject: string;
  readonly fingerprint: string;
  readonly usedFrom: Date;
}

function readEventSchemas(session: Session): Promise<readonly EventSchemaRow[]> {
  return session.query<EventSchemaRow>(
    `SELECT schema_id AS schemaId, subject, fingerprint, used_from AS usedFrom FROM event_schema
      ORDER BY schema_id`,
  );
}

async function forgetEventSchemas(session: Session): Promise<void> {
  await session.change('DELETE FROM event_schema');
}
