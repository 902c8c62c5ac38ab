import type { MigrationInterface } from 'typeorm';
import { DeadLetterPages1764420000000 } from './dead-letter-pages.ts';
import { InboxTables1764000000000 } from './inbox-tables.ts';
import { LetterReplays1764000000002 } from './letter-replays.ts';

/** The inbox's tables in the consumer's own schema, in the order in which they run; safe to run again after a crash. */
export const inboxMigrations: readonly (new () => MigrationInterface)[] = [
  InboxTables1764000000000,
  LetterReplays1764000000002,
  DeadLetterPages1764420000000,
];
