import type { EntityManager } from 'typeorm';

/** What a session must be, independent of the server's defaults and its `init_connect`. */
interface PinnedVariable {
  /** As SHOW VARIABLES prints it. */
  readonly value: string;
  /** What breaks with another value. */
  readonly why: string;
}

/**
 * Set on every connection before anything else runs on it, and read back when a service starts: a
 * proxy between us and the server may swallow a SET. Only variables that an ordinary user may set;
 * the server's own stand in `serverSettings` below.
 */
export const pinnedVariables: Readonly<Record<string, PinnedVariable>> = {
  sql_mode: {
    // In the server's own order. What is left out matters as much: under NO_BACKSLASH_ESCAPES the
    // text of a parameter ends its own quotes, because mysql2 escapes on the client's side with
    // backslashes: that is an injection. Under ANSI_QUOTES "x" is a column, under PIPES_AS_CONCAT
    // || no OR, under HIGH_NOT_PRECEDENCE and IGNORE_SPACE the same text means other things.
    value:
      'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
    why: 'strict: what is too long is refused, not cut; without NO_BACKSLASH_ESCAPES: a parameter stays a parameter',
  },
  character_set_client: {
    value: 'utf8mb4',
    why: 'statements are sent in it: every code point arrives as it is',
  },
  character_set_connection: {
    value: 'utf8mb4',
    why: 'else literals are converted, and what does not fit becomes ?',
  },
  character_set_results: { value: 'utf8mb4', why: 'answers are read in it' },
  collation_connection: {
    value: 'utf8mb4_0900_ai_ci',
    why: 'literals compare the same on every server',
  },
  time_zone: { value: '+00:00', why: 'times are written and read as UTC' },
  autocommit: {
    value: 'ON',
    why: 'a statement outside of a transaction is stored, not rolled back at the end',
  },
  completion_type: {
    value: 'NO_CHAIN',
    why: 'COMMIT ends a transaction and neither begins one nor disconnects',
  },
  transaction_isolation: {
    value: 'READ-COMMITTED',
    why: 'under REPEATABLE READ two new keys deadlock on gap locks',
  },
  transaction_read_only: {
    value: 'OFF',
    why: 'a default for sessions, and no protection: read_only is one',
  },
  sql_select_limit: {
    value: '18446744073709551615',
    why: 'a limit would cut lists of marks and dead letters, silently',
  },
  sql_safe_updates: { value: 'OFF', why: 'it refuses deletes in chunks' },
  sql_big_selects: { value: 'ON', why: 'else max_join_size refuses the audit and the counts' },
  sql_auto_is_null: { value: 'OFF', why: 'IS NULL means IS NULL' },
  max_execution_time: {
    value: '0',
    why: 'statements have deadlines of ours; another would look like an outage',
  },
  unique_checks: {
    value: 'ON',
    why: 'a version that is taken is refused: the last check of the order',
  },
  default_storage_engine: {
    value: 'InnoDB',
    why: 'a table without transactions would hold marks that no rollback undoes',
  },
};

/** How long a session waits, in seconds. */
export interface SessionWaits {
  /** For a row: shorter than any handler's deadline, so that it is known as what it is. */
  readonly lockWaitSeconds?: number;
  /** For a table that is being changed: the server's own default is a year. */
  readonly tableWaitSeconds?: number;
  /**
   * An open transaction whose owner has frozen is rolled back by the server after this, not after
   * eight hours.
   */
  readonly idleSeconds?: number;
}

/** The statement that makes a new connection ours. */
export function pinSession({
  lockWaitSeconds = 4,
  tableWaitSeconds = 60,
  idleSeconds = 30,
}: SessionWaits = {}): string {
  const pinned = Object.entries(pinnedVariables).map(
    ([name, { value }]) => `${name} = ${literal(value)}`,
  );
  return `SET SESSION ${[
    ...pinned,
    `innodb_lock_wait_timeout = ${lockWaitSeconds}`,
    `lock_wait_timeout = ${tableWaitSeconds}`,
    `wait_timeout = ${idleSeconds}`,
  ].join(', ')}`;
}

/**
 * Nothing here needs escaping, and with the wrong sql_mode nothing could be trusted to be escaped.
 */
function literal(value: string): string {
  return /^\d+$/.test(value) ? value : `'${value}'`;
}

/** The server is set up in a way that breaks the guarantee; waiting does not help. */
export class ServerSettingsError extends Error {
  override readonly name = 'ServerSettingsError';
}

/**
 * What each setting is for: a committed row survives the machine, and its whole image is in the
 * binlog under a GTID. Transactions become visible in the order of the binlog: a fence that commits
 * after a row was seen lies behind it.
 */
const serverSettings: Readonly<Record<string, string>> = {
  sync_binlog: '1',
  innodb_flush_log_at_trx_commit: '1',
  log_bin: 'ON',
  binlog_format: 'ROW',
  binlog_row_image: 'FULL',
  binlog_order_commits: 'ON',
  gtid_mode: 'ON',
  // An `init_connect` may switch it off for a session: what is committed then is never shipped.
  sql_log_bin: 'ON',
};

const wanted: Readonly<Record<string, string>> = {
  ...serverSettings,
  ...Object.fromEntries(Object.entries(pinnedVariables).map(([name, { value }]) => [name, value])),
};

/** Deprecated, and ROW is what stays when they are gone. */
const mayBeGone = new Set(['binlog_format']);

export interface ServerVariable {
  readonly Variable_name: string;
  readonly Value: string;
}

/** Throws ServerSettingsError with every setting that is wrong, as this session sees it. */
export async function assertServerSettings(manager: EntityManager): Promise<void> {
  const rows: ServerVariable[] = await manager.query(
    'SHOW SESSION VARIABLES WHERE Variable_name IN (?)',
    [Object.keys(wanted)],
  );
  const wrong = findWrongSettings(rows);
  if (wrong.length > 0)
    throw new ServerSettingsError(`MySQL's settings break the guarantee: ${wrong.join('; ')}`);
}

/**
 * What is wrong with the variables of a session, in sentences; one that is not reported is wrong
 * too: nothing proves it.
 */
export function findWrongSettings(rows: readonly ServerVariable[]): string[] {
  const reported = new Map(
    rows.map(({ Variable_name, Value }) => [Variable_name.toLowerCase(), Value]),
  );
  return Object.entries(wanted).flatMap(([name, value]) => {
    const found = reported.get(name);
    if (found === undefined)
      return mayBeGone.has(name) ? [] : [`${name} is not reported by the server, must be ${value}`];
    return found.toUpperCase() === value.toUpperCase()
      ? []
      : [`${name} is ${found}, must be ${value}`];
  });
}
