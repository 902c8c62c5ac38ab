export interface Scope {
  /** Aborted when closing begins: waits and retries end on it. */
  readonly signal: AbortSignal;
  /** Names the closer of a resource; call it on the line after the resource was opened. */
  defer(name: string, close: () => unknown): void;
  /** Runs every closer, last first, then throws the first error; safe to call twice. */
  close(): Promise<void>;
}

/** Owns what a process or a test has opened. */
export function createScope(): Scope {
  const closers: { name: string; close: () => unknown }[] = [];
  const closing = new AbortController();
  let closed: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    closing.abort();
    const errors: Error[] = [];
    for (let closer = closers.pop(); closer; closer = closers.pop()) {
      try {
        await closer.close();
      } catch (cause) {
        errors.push(new Error(`${closer.name} did not close`, { cause }));
      }
    }
    if (errors[0]) throw errors[0];
  }

  return {
    signal: closing.signal,
    defer: (name, close) => closers.push({ name, close }),
    close: () => (closed ??= closeAll()),
  };
}
