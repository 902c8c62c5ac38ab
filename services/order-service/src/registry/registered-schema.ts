/** A schema under the id that the registry gave it. */
export interface RegisteredSchema {
  readonly id: number;
  readonly subject: string;
  /** SHA-256 of the schema's canonical form. */
  readonly fingerprint: string;
}

/** What this service remembers of the ids that it has written events with. */
export interface SchemaMemory {
  /** Oldest first. */
  read(): Promise<readonly RegisteredSchema[]>;
  /** Keeps what is there already. */
  remember(schemas: readonly RegisteredSchema[]): Promise<void>;
}
