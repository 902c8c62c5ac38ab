import { databaseConnection, runMigrations } from '@board/database-kit';
import { InboxTables1764000000000, LetterReplays1764000000002 } from '@board/inbox';
import { runTask } from '@board/service-kit';
import { migrateSchema } from './config.ts';
import { CreateCatalog1764000000001 } from './database/migrations/create-catalog.ts';

await runTask(migrateSchema, async ({ config, logger }) => {
  const ran = await runMigrations(databaseConnection(config), [
    InboxTables1764000000000,
    CreateCatalog1764000000001,
    LetterReplays1764000000002,
  ]);
  logger.info({ event: 'migrations.ran', migrations: ran });
});
