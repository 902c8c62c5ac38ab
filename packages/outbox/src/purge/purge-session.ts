/** One connection to the database; what was seen on it is deleted on it, or not at all. */
export interface PurgeSession {
  query<Row>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** How many rows the statement has changed. */
  change(sql: string, values?: readonly unknown[]): Promise<number>;
}

/** How the deletes go on while others work. */
export interface PurgePace {
  /** Rows deleted in one transaction. */
  readonly chunkRows: number;
  /** A breath between two of them. */
  readonly pauseMs: number;
}

export const defaultPace: PurgePace = { chunkRows: 1_000, pauseMs: 50 };
