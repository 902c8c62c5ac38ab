export interface StopHandlers {
  readonly first: (signal: string) => void;
  readonly again: () => void;
}

/**
 * Resolves at the first SIGINT, SIGTERM or SIGHUP. From a terminal one Ctrl-C arrives several times, from the terminal
 * and from each parent that passes it on: signals within a second of the first count as the same.
 */
export function onStopSignals(handlers: StopHandlers): Promise<string> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (firstAt === undefined) {
          firstAt = Date.now();
          handlers.first(signal);
          resolve(signal);
        } else if (Date.now() - firstAt > 1000) {
          handlers.again();
        }
      });
    }
  });
}
