/** A piece of the start that waits for others by name. */
export interface Step {
  readonly name: string;
  readonly needs: readonly string[];
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/**
 * Throws when a step needs one that does not exist, or when some wait for each other in a circle.
 */
export function checkGraph(steps: readonly Step[]): void {
  const names = new Set(steps.map(({ name }) => name));
  if (names.size !== steps.length) throw new Error('Two steps have one name.');
  for (const { name, needs } of steps) {
    const unknown = needs.find((need) => !names.has(need));
    if (unknown !== undefined) throw new Error(`${name} needs ${unknown}, which does not exist.`);
  }
  const done = new Set<string>();
  for (let left = steps; left.length > 0;) {
    const ready = left.filter(({ needs }) => needs.every((need) => done.has(need)));
    if (ready.length === 0) {
      throw new Error(`These wait for each other: ${left.map(({ name }) => name).join(', ')}.`);
    }
    for (const { name } of ready) done.add(name);
    left = left.filter(({ name }) => !done.has(name));
  }
}

/**
 * Runs every step as soon as all that it needs are done. The first failure (or the signal) aborts
 * the others; the promise settles when none runs any more.
 */
export async function runGraph(steps: readonly Step[], signal: AbortSignal): Promise<void> {
  checkGraph(steps);
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);
  const running = new Map<string, Promise<void>>();
  const byName = new Map(steps.map((step) => [step.name, step]));

  const start = (name: string): Promise<void> => {
    const known = running.get(name);
    if (known !== undefined) return known;
    const step = byName.get(name);
    const promise = Promise.all((step?.needs ?? []).map(start)).then(async () => {
      stop.throwIfAborted();
      await step?.run(stop);
    });
    running.set(name, promise);
    promise.catch((error: unknown) => failure.abort(error));
    return promise;
  };

  const outcomes = await Promise.allSettled(steps.map(({ name }) => start(name)));
  // The first failure, not those that it caused; for an abort from outside, its reason.
  signal.throwIfAborted();
  if (outcomes.some(({ status }) => status === 'rejected')) throw failure.signal.reason;
}
