/**
 * Runs work again and again, with a pause after each run; the returned function resolves once the run in hand is done, which may
 * ask whether it is to stop.
 */
export function repeat(everyMs: number, work: (isStopped: () => boolean) => Promise<void>): () => Promise<void> {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();

  async function run(): Promise<void> {
    await work(() => stopped);
    if (!stopped) timer = setTimeout(start, everyMs);
  }
  function start(): void {
    running = run();
  }
  start();

  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}
