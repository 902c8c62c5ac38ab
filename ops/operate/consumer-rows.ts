interface Transaction {
  query(sql: string, values?: unknown[]): Promise<unknown>;
}

/** A row of a baseline, as one line of its file says it. */
export interface SeedRow {
  readonly aggregateId: string;
  readonly version: number;
  readonly eventId: string;
  readonly data: unknown;
}

/** The tables of a consumer beside its marks: what a rebuild empties and a baseline fills. */
export interface ConsumerRows {
  delete(tx: Transaction): Promise<void>;
  /** Throws with the row's aggregate and what is wrong with its data. */
  seed(tx: Transaction, rows: readonly SeedRow[]): Promise<void>;
}
