// What the checker reads when a run is over, and what it finds wrong in it.

/** What the checker read at the end. */
export interface Evidence {
  readonly readAt: number;
  readonly boards: readonly BoardState[];
  readonly outbox: readonly OutboxRow[];
  readonly catalog: readonly CatalogRow[];
  readonly marks: readonly MarkRow[];
  readonly parked: readonly ParkedRow[];
  readonly skipped: readonly SkippedRow[];
  /** The index of the DLQ in catalog-service's database. */
  readonly deadLetters: readonly DeadLetterRow[];
  /** Of `board`, in any order across partitions, in the order of offsets within one. */
  readonly source: readonly TopicRecord[];
  /** Of the retry topics and the DLQ. */
  readonly retries: readonly TopicRecord[];
  readonly dlq: readonly TopicRecord[];
  /** Of the source group and the retry group, one entry for each partition. */
  readonly groups: readonly GroupPosition[];
  /** How many creations catalog-service has counted, by UTC day; each BoardCreated counts one. */
  readonly createdPerDay: Readonly<Record<string, number>>;
}

export interface BoardState {
  readonly id: string;
  readonly version: number;
  readonly title: string;
  readonly content: string;
  readonly author: string | null;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly deletedAt: number | null;
}

export interface CatalogRow extends BoardState {
  readonly appliedCount: number;
}

export interface OutboxRow {
  readonly id: string;
  readonly boardId: string;
  readonly version: number;
  readonly partitionKey: string;
  readonly type: string;
  readonly topic: string;
  /** Microseconds since the epoch, decimal, as the record's header has it. */
  readonly occurredAt: string;
  readonly traceparent: string | null;
  /** SHA-256 of the payload, hex. */
  readonly digest: string;
  /** What the payload says, or why it cannot be read. */
  readonly event: BoardState | { readonly problem: string };
}

export interface MarkRow {
  readonly boardId: string;
  readonly version: number;
  readonly eventId: string;
}

export interface ParkedRow {
  readonly boardId: string;
  readonly version: number;
  readonly eventId: string;
}

export interface SkippedRow {
  readonly boardId: string;
  readonly version: number;
  readonly decidedBy: string;
}

export interface DeadLetterRow {
  /** Null without a readable identity. */
  readonly boardId: string | null;
  readonly version: number | null;
  readonly eventId: string | null;
  readonly reason: string;
  readonly error: string;
  /** Where the record stood first. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The end of a batch that could not be read; else equal to `offset`. */
  readonly lastOffset: number;
  /** How it was closed, or null while it is open. */
  readonly closedBy: string | null;
}

export interface TopicRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly appendedAt: number;
  readonly key: string | null;
  /** Those headers that the pipeline knows, as text; a header that stands twice is left out. */
  readonly headers: Readonly<Record<string, string | null>>;
  /** SHA-256 of the value, hex; null for a null value. */
  readonly digest: string | null;
  /** The number in the marker of a foreign record, or null. */
  readonly foreignId: number | null;
}

export interface GroupPosition {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  /** Null: never committed. */
  readonly committed: number | null;
  readonly end: number;
}

/** What must hold and does not. */
export interface Violation {
  /** I1 to I10 of the design. */
  readonly invariant: string;
  /** The rule of the checker, in a few words. */
  readonly rule: string;
  readonly boardId: string | null;
  readonly eventId: string | null;
  /** One sentence with the values. */
  readonly sentence: string;
  /** Everything known about it, in the order of time; what has no time stands last. */
  readonly story: readonly StoryLine[];
}

export interface StoryLine {
  readonly at: number | null;
  readonly text: string;
}
