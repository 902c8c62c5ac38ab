export { assertServerSettings, ServerSettingsError } from './assert-server-settings.ts';
export { classifyError, type DatabaseFault } from './classify-error.ts';
export { connectionOptions, type Connection } from './connection-options.ts';
export { createDatabase, type Database, type DatabaseOptions } from './create-database.ts';
export { databaseConnection, databaseFields } from './database-fields.ts';
export { leadWhileLocked, type Leadership, type LockState } from './lead-while-locked.ts';
export { openSession, type Session } from './open-session.ts';
export { prepareSession } from './prepare-session.ts';
export { runMigrations } from './run-migrations.ts';
