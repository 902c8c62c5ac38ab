/**
 * What a MySQL server answers to a write while it takes none, by error number: a planned switch-over, a replica behind the
 * address, a restart into recovery. The connection leads to the wrong server: it must be destroyed, because a new one may lead
 * to the right one.
 */
export const readOnlyErrors: Readonly<Record<number, string>> = {
  1036: 'ER_OPEN_AS_READONLY', // the table, under innodb_read_only or recovery
  1290: 'ER_OPTION_PREVENTS_STATEMENT', // read_only, super_read_only
  1792: 'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION', // transaction_read_only
  1836: 'ER_READ_ONLY_MODE', // a server that was started read-only
  1874: 'ER_INNODB_READ_ONLY', // innodb_read_only
  1881: 'ER_INNODB_FORCED_RECOVERY', // innodb_force_recovery
  3032: 'ER_SERVER_OFFLINE_MODE', // offline_mode, which a switch-over sets beside read-only
  3989: 'ER_SCHEMA_READ_ONLY', // ALTER SCHEMA ... READ ONLY = 1
};

const codes = new Set(Object.values(readOnlyErrors));

/** Whether the error, or what caused it, says that the server takes no writes now. */
export function isReadOnlyError(error: unknown): boolean {
  let link = error;
  // At most ten deep: a cause may point back at itself.
  for (let depth = 0; depth < 10 && typeof link === 'object' && link !== null; depth += 1) {
    if ('errno' in link && typeof link.errno === 'number' && link.errno in readOnlyErrors) return true;
    if ('code' in link && typeof link.code === 'string' && codes.has(link.code)) return true;
    link = 'driverError' in link && link.driverError !== undefined ? link.driverError : (link as Error).cause;
  }
  return false;
}
