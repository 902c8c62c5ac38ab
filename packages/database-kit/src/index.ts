export { addColumn, addIndex, dropIndex } from './alter-once.ts';
export { askDatabase } from './ask-database.ts';
export { assertServerSettings, ServerSettingsError } from './assert-server-settings.ts';
export {
  classifyDriverError,
  isReadOnlyError,
  isRefusedCommit,
  type DriverError,
  type DriverErrorKind,
} from './driver-errors.ts';
export { classifyError, type DatabaseFault } from './classify-error.ts';
export { connectionOptions, type Connection } from './connection-options.ts';
export { createDatabase, ReadOnlyError, type Database, type DatabaseOptions } from './create-database.ts';
export { cutPage, type PageCandidate } from './cut-page.ts';
export { databaseConnection, databaseFields } from './database-fields.ts';
export { describeServerFault } from './describe-server-fault.ts';
export { leadWhileLocked, type Leadership, type LockState } from './lead-while-locked.ts';
export { openSession, type Session } from './open-session.ts';
export { runMigrations } from './run-migrations.ts';
export { pinSession } from './session-settings.ts';
