import { ServerSettingsError, type Database } from '@board/database-kit';
import { must } from '@board/service-kit';
import { findMisfits } from './fit.ts';
import { ownLimits } from './own-limits.ts';
import { serverFits } from './server-fits.ts';

/** Throws ServerSettingsError when the server has no room for what this service may send it at once. */
export async function assertServerLimits(database: Database): Promise<void> {
  const [found]: readonly { packet: string | number; cache: string | number }[] = await database.read((manager) =>
    manager.query('SELECT @@max_allowed_packet AS packet, @@global.max_binlog_cache_size AS cache'),
  );
  const row = must(found, "MySQL's answer about its limits");
  const server = {
    maxAllowedPacket: must(Number(row.packet), 'max_allowed_packet of MySQL'),
    maxBinlogCacheSize: must(Number(row.cache), 'max_binlog_cache_size of MySQL'),
  };
  const misfits = findMisfits(serverFits(ownLimits, server));
  if (misfits.length === 0) return;
  throw new ServerSettingsError(`MySQL's settings are too small for order-service, raise them: ${misfits.join('; ')}`);
}
