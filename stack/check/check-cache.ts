import { cacheFolder } from '../fetch/cache.ts';
import { findJars } from '../fetch/fetch-jars.ts';
import type { Cluster } from '../instance/cluster.ts';
import type { Finding } from './checks.ts';

/** Whether the downloads are there; never missing, since a start fetches them. */
export function checkCache(cluster: Cluster): Finding {
  const detail =
    findJars(cluster) === undefined
      ? `empty: the next start fetches about 250 MB ("npm run stack -- fetch" does it ahead)`
      : cacheFolder();
  return { name: 'downloads', status: 'ok', detail };
}
