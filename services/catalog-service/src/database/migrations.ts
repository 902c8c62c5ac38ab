import { inboxMigrations } from '@board/inbox';
import { CreateCatalog1764000000001 } from './migrations/create-catalog.ts';

/** The inbox's tables and the catalog, in the order in which they run. */
export const migrations = [...inboxMigrations, CreateCatalog1764000000001];
