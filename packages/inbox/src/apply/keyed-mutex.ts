/** Runs work one at a time for each key, within this process: other instances are kept out by the locks in the database. */
export interface KeyedMutex {
  /** Runs work once everything that was asked for under the same key before is done; passes its result or failure on. */
  run<Result>(key: string, work: () => Promise<Result>): Promise<Result>;
}

export function createKeyedMutex(): KeyedMutex {
  const last = new Map<string, Promise<unknown>>();
  return {
    run(key, work) {
      const before = last.get(key) ?? Promise.resolve();
      // A failed predecessor must not fail its successors.
      const result = before.then(work, work);
      last.set(key, result);
      const forget = (): void => {
        if (last.get(key) === result) last.delete(key);
      };
      result.then(forget, forget);
      return result;
    },
  };
}
