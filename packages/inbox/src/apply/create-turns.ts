export interface Turns {
  /** Runs work once everything that was asked for under the same key before is done; passes its result or failure on. */
  take<Result>(key: string, work: () => Promise<Result>): Promise<Result>;
}

/** Within this process only: other instances are kept out by the locks in the database. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    take(key, work) {
      const before = last.get(key) ?? Promise.resolve();
      // Whoever came before may fail: that is not for those who follow.
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
