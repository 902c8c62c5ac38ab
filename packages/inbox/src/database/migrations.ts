import type { MigrationInterface } from 'typeorm';
import { DeadLetterPages1764420000000 } from './dead-letter-pages.ts';
import { BareDeadLetters1795900000001 } from './bare-dead-letters.ts';
import { InboxTables1764000000000 } from './inbox-tables.ts';
import { KnownSchemas1764000000003 } from './known-schemas.ts';
import { LetterReplays1764000000002 } from './letter-replays.ts';
import { MissingRanges1795900000002 } from './missing-ranges.ts';

/** The inbox's tables in the consumer's own schema, in the order in which they run; safe to run again after a crash. */
export const inboxMigrations: readonly (new () => MigrationInterface)[] = [
  InboxTables1764000000000,
  LetterReplays1764000000002,
  KnownSchemas1764000000003,
  DeadLetterPages1764420000000,
  BareDeadLetters1795900000001,
  MissingRanges1795900000002,
];
