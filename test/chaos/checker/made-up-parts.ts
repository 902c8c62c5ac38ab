import { createHash } from 'node:crypto';
import type { Attempt, ClientOperation, History, Outcome } from '../history.ts';
import type { Evidence, TopicRecord } from './evidence.ts';

/* The steps from which a run is made up, and the small parts of it. */

/** The same shape, open to change. */
export type Mutable<Shape> = { -readonly [Key in keyof Shape]: Mutable<Shape[Key]> };

export interface MadeUpRun {
  readonly history: Mutable<History>;
  readonly evidence: Mutable<Evidence>;
}

/** What became of the requests of a command. */
type Answer =
  /** 2xx at the first attempt. */
  | 'ok'
  /** No answer, then 2xx to a repeat with the same key. */
  | 'repeated'
  /** 2xx, and 2xx again to a repeat although the first one came. */
  | 'doubled'
  /** Never an answer, although it was done. */
  | 'unknown, done'
  /** Never an answer, and it was not done. */
  | 'unknown, not done'
  /** Known not to have been done. */
  | 'not done';

/** What an event meets on its way. */
interface Way {
  /** How often it stands in the topic again. */
  readonly copies: number;
  /** How often the handler refuses it; four times make it a dead letter. */
  readonly refusals: number;
}

/** `board` chooses among the boards whose id a client knows. */
export type Step =
  | {
      readonly kind: 'create' | 'edit' | 'delete';
      readonly board: number;
      readonly answer: Answer;
      readonly author: string | null;
      /** An edit without content leaves it as it is. */
      readonly hasContent: boolean;
      readonly ifMatch: 'none' | 'current' | 'stale';
      /** How long before its commit it was sent, and how long after it was answered. */
      readonly slack: readonly [number, number];
      readonly way: Way;
    }
  | {
      readonly kind: 'foreign';
      readonly count: number;
      readonly to: 'source' | 'retry' | 'dlq';
      readonly isBatch: boolean;
    };

/** Sets the attempts and the outcome of an operation. */
export function conclude(
  operation: Mutable<ClientOperation>,
  attempts: readonly Attempt[],
  outcome: Outcome,
): void {
  operation.attempts = structuredClone(attempts) as Mutable<Attempt>[];
  operation.outcome = structuredClone(outcome);
}

export function answered(sentAt: number, endedAt: number, status: number): Attempt {
  return {
    sentAt,
    endedAt,
    result: { kind: 'answered', status, detail: null, digest: sha256('body') },
  };
}

export function failed(sentAt: number, endedAt: number, error = 'TimeoutError'): Attempt {
  return { sentAt, endedAt, result: { kind: 'failed', error } };
}

export function deadLetterHeaders({
  topic,
  partition,
  offset,
}: Pick<TopicRecord, 'topic' | 'partition' | 'offset'>) {
  return {
    'inbox-reason': 'attempts-exhausted',
    'kafka_dlt-original-topic': topic,
    'kafka_dlt-original-partition': String(partition),
    'kafka_dlt-original-offset': String(offset),
  };
}

export function partitionOf(key: string): number {
  return createHash('sha256').update(key).digest().readUInt8() % 3;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export function must<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the made-up run contradicts itself');
  return value;
}
