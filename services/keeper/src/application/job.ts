/**
 * Work that is done again and again; must be harmless when two processes do it at the same moment.
 */
export interface Job {
  readonly name: string;
  readonly everyMs: number;
  /**
   * Throws when it could not be done; it is tried again soon. Ends early when the signal aborts.
   */
  run(signal: AbortSignal): Promise<void>;
}
