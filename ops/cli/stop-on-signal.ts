/** Aborts at the first Ctrl-C or SIGTERM; a second one, a moment later, ends the process. */
export function stopOnSignal(): AbortSignal {
  const stop = new AbortController();
  let stoppedAt = 0;
  const onSignal = (): void => {
    // From a terminal one Ctrl-C comes twice: to this process, and through the launcher.
    if (stop.signal.aborted && Date.now() > stoppedAt + 500) process.exit(130);
    if (!stop.signal.aborted) stoppedAt = Date.now();
    stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return stop.signal;
}
