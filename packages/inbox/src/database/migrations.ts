import type { MigrationInterface } from 'typeorm';
import { InboxTables1764000000000 } from './inbox-tables.ts';
import { KnownSchemas1764000000003 } from './known-schemas.ts';
import { LetterReplays1764000000002 } from './letter-replays.ts';

/** The inbox's tables in the consumer's own schema, in the order in which they run; safe to run again after a crash. */
export const inboxMigrations: readonly (new () => MigrationInterface)[] = [
  InboxTables1764000000000,
  LetterReplays1764000000002,
  KnownSchemas1764000000003,
];
