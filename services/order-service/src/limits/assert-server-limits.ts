import { ServerSettingsError, type Database } from '@board/database-kit';
import { findMisfits } from './fit.ts';
import { ownLimits } from './own-limits.ts';
import { serverFits } from './server-fits.ts';

/** Throws ServerSettingsError when the server has no room for what this service may send it at once. */
export async function assertServerLimits(database: Database): Promise<void> {
  const [row]: readonly { packet: string | number; cache: string | number }[] = await database.read((manager) =>
    manager.query('SELECT @@max_allowed_packet AS packet, @@global.max_binlog_cache_size AS cache'),
  );
  const server = { maxAllowedPacket: Number(row?.packet), maxBinlogCacheSize: Number(row?.cache) };
  const misfits = findMisfits(serverFits(ownLimits, server));
  if (misfits.length === 0) return;
  throw new ServerSettingsError(`MySQL's settings are too small for order-service, raise them: ${misfits.join('; ')}`);
}
