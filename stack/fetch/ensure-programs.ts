import type { Cluster } from '../instance/cluster.ts';
import { canUseAot, findAotCaches } from './aot-caches.ts';
import type { Say } from './cache.ts';
import { fetchJars } from './fetch-jars.ts';
import { ensureJava } from './find-java.ts';
import { ensureMysqld } from './find-mysqld.ts';
import type { Programs } from './programs.ts';
import { trainAotCaches } from './train-aot.ts';

/**
 * Finds or fetches everything that the servers are started from; the downloads run side by side.
 * With `STACK_AOT=0` missing AOT caches are not made: a single start is quicker without.
 */
export async function ensurePrograms(cluster: Cluster, say: Say, signal: AbortSignal): Promise<Programs> {
  const [java, mysqld, jars] = await Promise.all([
    ensureJava(say, signal),
    ensureMysqld(say, signal),
    fetchJars(cluster, say, signal),
  ]);
  const programs = { java, mysqld, jars };
  const known = findAotCaches(java, jars);
  if (known.mode === 'use' || !canUseAot(java) || process.env['STACK_AOT'] === '0') return { ...programs, aot: known };
  try {
    return { ...programs, aot: await trainAotCaches(cluster, programs, say, signal) };
  } catch (error) {
    signal.throwIfAborted();
    // The caches only save time: without them everything works, slower.
    const reason = error instanceof Error ? error.message : String(error);
    say(`AOT caches could not be made, going on without: ${reason}`);
    return { ...programs, aot: { mode: 'none' } };
  }
}
