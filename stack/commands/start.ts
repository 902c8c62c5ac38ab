import { type StartOptions, startStack } from '../stack.ts';
import { onStopSignals } from './on-stop-signals.ts';
import { makeProgress, renderStack } from './render.ts';

/** Supervises in the foreground until Ctrl-C or SIGTERM. */
export async function start(options: StartOptions & { readonly table: boolean }): Promise<void> {
  const say = makeProgress();
  const interrupted = new AbortController();
  const running: { kill?: () => void } = {};
  const stopSignals = onStopSignals({
    first: (signal) => {
      say(`${signal}: stopping everything; once more ends it at once`);
      interrupted.abort(new Error('stopped before the start was complete'));
    },
    again: () => {
      running.kill?.();
      process.exit(130);
    },
  });
  const stack = await startStack({ ...options, onProgress: say, signal: interrupted.signal }).catch(
    (error: unknown) => {
      if (!interrupted.signal.aborted) throw error;
      say('stopped before the start was complete');
      process.exit(130);
    },
  );
  running.kill = stack.kill;
  if (options.table) {
    console.log(renderStack(stack.instance, stack.state()));
    console.log('Ctrl-C stops everything; data stays for the next start.');
  }

  await stopSignals;
  await stack.stop();
  say('everything stopped');
}
