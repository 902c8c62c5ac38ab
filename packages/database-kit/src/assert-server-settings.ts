import type { EntityManager } from 'typeorm';
import { pinnedVariables } from './session-settings.ts';

/** The server is set up in a way that breaks the guarantee; waiting does not help. */
export class ServerSettingsError extends Error {
  override readonly name = 'ServerSettingsError';
}

/**
 * What each setting is for: a committed row survives the machine, and its whole image is in the binlog under a GTID. Transactions
 * become visible in the order of the binlog: a fence that commits after a row was seen lies behind it.
 */
const server: Readonly<Record<string, string>> = {
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
  ...server,
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
  const rows: ServerVariable[] = await manager.query('SHOW SESSION VARIABLES WHERE Variable_name IN (?)', [
    Object.keys(wanted),
  ]);
  const wrong = findWrongSettings(rows);
  if (wrong.length > 0) throw new ServerSettingsError(`MySQL's settings break the guarantee: ${wrong.join('; ')}`);
}

/** What is wrong with the variables of a session, in sentences; one that is not told is wrong too: nothing proves it. */
export function findWrongSettings(rows: readonly ServerVariable[]): string[] {
  const told = new Map(rows.map(({ Variable_name, Value }) => [Variable_name.toLowerCase(), Value]));
  return Object.entries(wanted).flatMap(([name, value]) => {
    const found = told.get(name);
    if (found === undefined) return mayBeGone.has(name) ? [] : [`${name} is not told by the server, must be ${value}`];
    return found.toUpperCase() === value.toUpperCase() ? [] : [`${name} is ${found}, must be ${value}`];
  });
}
