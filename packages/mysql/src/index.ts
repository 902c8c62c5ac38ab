export {
  createDatabase,
  ReadOnlyError,
  type Database,
  type DatabaseOptions,
} from './create-database.ts';
export { cutPage, type PageCandidate } from './cut-page.ts';
export {
  addColumn,
  addIndex,
  connectionOptions,
  createDataSource,
  databaseConnection,
  databaseFields,
  dropIndex,
  migrateService,
  runMigrations,
} from './data-source.ts';
export {
  classifyDriverError,
  classifyError,
  describeServerFault,
  isReadOnlyError,
  isRefusedCommit,
  type DatabaseFault,
  type DriverError,
  type DriverErrorKind,
} from './driver-errors.ts';
export { leadWhileLocked, type Leadership, type LockState } from './lead-while-locked.ts';
export {
  askDatabase,
  openConnection,
  openSession,
  type Connection,
  type DriverConnection,
  type RowDataPacket,
  type Session,
} from './open-session.ts';
export { assertServerSettings, pinSession, ServerSettingsError } from './session-settings.ts';
