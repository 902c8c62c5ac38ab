import { refuseFolders, refuseWhatIsMissing } from '../check/checks.ts';
import { cacheFolder } from '../fetch/cache.ts';
import { ensurePrograms } from '../fetch/ensure-programs.ts';
import type { Cluster } from '../instance/cluster.ts';
import { instancesFolder } from '../instance/instance.ts';
import { onStopSignals } from './on-stop-signals.ts';
import { makeProgress } from './render.ts';

/** Downloads everything that one flavour needs, and makes its AOT caches. */
export async function fetchOnly(cluster: Cluster): Promise<void> {
  const interrupted = new AbortController();
  void onStopSignals({
    first: () => interrupted.abort(new Error('Stopped; what was complete is kept.')),
    again: () => process.exit(130),
  });
  refuseFolders({ folder: instancesFolder });
  await refuseWhatIsMissing(cluster);
  await ensurePrograms(cluster, makeProgress(), interrupted.signal);
  console.log(`Everything is in ${cacheFolder()}.`);
}
