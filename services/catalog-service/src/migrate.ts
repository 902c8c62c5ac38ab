import { databaseConnection, runMigrations } from '@board/mysql';
import { runTask } from '@board/service';
import { migrateSchema } from './config.ts';
import { migrations } from './database/migrations.ts';

await runTask(migrateSchema, async ({ config, logger }) => {
  const ran = await runMigrations(databaseConnection(config), migrations);
  logger.info({ event: 'migrations.ran', migrations: ran });
});
