export interface Heartbeat {
  failed(): boolean;
  stop(): void;
  throwIfFailed(): void;
}

/** Beats by timer while a slice is in work, however long that takes; keeps the first failure for the loop to throw. */
export function startHeartbeat(beat: () => Promise<void>, everyMs = 1_000): Heartbeat {
  let failure: { readonly error: unknown } | undefined;
  const timer = setInterval(() => {
    beat().catch((error: unknown) => {
      failure ??= { error };
      clearInterval(timer);
    });
  }, everyMs);
  return {
    failed: () => failure !== undefined,
    stop: () => clearInterval(timer),
    throwIfFailed() {
      if (failure) throw failure.error;
    },
  };
}
