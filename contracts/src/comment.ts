import { defineEventTopic, readEventSchema, type AggregateDefinition } from './aggregate.ts';

/* The running example of docs/your-own-events.md. */

export interface CommentAdded {
  readonly type: 'CommentAdded';
  /** The time is in milliseconds since the epoch. */
  readonly data: {
    readonly id: string;
    readonly version: number;
    readonly boardId: string;
    readonly text: string;
    readonly author: string | null;
    readonly createdAt: number;
  };
}

export interface CommentRemoved {
  readonly type: 'CommentRemoved';
  readonly data: {
    readonly id: string;
    readonly version: number;
    readonly boardId: string;
    /** Milliseconds since the epoch. */
    readonly removedAt: number;
  };
}

/** A fact about one comment, in the shape of its Avro record (`avro/`). */
export type CommentEvent = CommentAdded | CommentRemoved;

export const commentAggregate: AggregateDefinition = {
  type: 'comment',
  topic: defineEventTopic('comment'),
  schemas: [
    readEventSchema('comment', 'CommentAdded', 'comment-added.avsc'),
    readEventSchema('comment', 'CommentRemoved', 'comment-removed.avsc'),
  ],
  database: 'order_service',
  table: 'comment',
};
