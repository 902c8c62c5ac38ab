import { QueryFailedError } from 'typeorm';
import type { Connection } from './connection-options.ts';
import { causes, classifyDriverError } from './driver-errors.ts';

/**
 * Which server failed and how, for an operator: the driver's errors name no server. Undefined for what another server or the
 * statement itself is to blame for.
 */
export function describeServerFault(
  error: unknown,
  { host, port }: Pick<Connection, 'host' | 'port'>,
): string | undefined {
  const known = classifyDriverError(error);
  if (known === undefined || known.kind === 'schema') return undefined;
  let isDrivers = known.code === 'POOL_EXHAUSTED';
  let said = '';
  for (const link of causes(error)) {
    const { fatal, sqlState } = link as { fatal?: unknown; sqlState?: unknown };
    // A registry or a broker that is away has the same codes, and neither of these.
    isDrivers ||= fatal === true || typeof sqlState === 'string' || link instanceof QueryFailedError;
    if (link instanceof Error) said = link.message;
  }
  return isDrivers ? `MySQL at ${host}:${port}: ${known.reason} (${said})` : undefined;
}
