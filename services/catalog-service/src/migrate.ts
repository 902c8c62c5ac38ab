import { databaseConnection, runMigrations } from '@board/database-kit';
import { inboxMigrations } from '@board/inbox';
import { runTask } from '@board/service-kit';
import { migrateSchema } from './config.ts';
import { CreateCatalog1764000000001 } from './database/migrations/create-catalog.ts';

await runTask(migrateSchema, async ({ config, logger }) => {
  const ran = await runMigrations(databaseConnection(config), [...inboxMigrations, CreateCatalog1764000000001]);
  logger.info({ event: 'migrations.ran', migrations: ran });
});
