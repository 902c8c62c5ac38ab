import { refuseWhatIsMissing } from '../check/refuse-what-is-missing.ts';
import { cacheFolder } from '../fetch/cache.ts';
import { ensurePrograms } from '../fetch/ensure-programs.ts';
import { onStopSignals } from './on-stop-signals.ts';
import { makeProgress } from './progress.ts';

/** Downloads everything and makes the AOT caches. */
export async function fetchOnly(): Promise<void> {
  const interrupted = new AbortController();
  void onStopSignals({
    first: () => interrupted.abort(new Error('Stopped; what was complete is kept.')),
    again: () => process.exit(130),
  });
  await refuseWhatIsMissing();
  await ensurePrograms(makeProgress(), interrupted.signal);
  console.log(`Everything is in ${cacheFolder()}.`);
}
