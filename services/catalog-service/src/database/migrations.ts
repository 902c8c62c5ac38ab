import { inboxMigrations } from '@board/inbox';
import { CreateCatalog1764000000001 } from './migrations/create-catalog.ts';
import { IndexLiveCatalog1764410000001 } from './migrations/index-live-catalog.ts';

/** The inbox's tables and the catalog, in the order in which they run. */
export const migrations = [
  ...inboxMigrations,
  CreateCatalog1764000000001,
  IndexLiveCatalog1764410000001,
];
