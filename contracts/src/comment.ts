import {
  defineEventTopic,
  readEventSchema,
  type AggregateDefinition,
  type ConsumerDefinition,
} from './definitions.ts';

/* Comments are the running example of docs/your-own-events.md. */

export interface CommentAdded {
  readonly type: 'CommentAdded';
  readonly data: {
    readonly id: string;
    readonly version: number;
    readonly boardId: string;
    readonly text: string;
    readonly author: string | null;
    /** Milliseconds since the epoch. */
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

/** comment-service, which keeps and counts the comments. */
export const commentsConsumer: ConsumerDefinition = {
  name: 'comments',
  group: 'comment-service',
  source: commentAggregate.topic,
  aggregateType: commentAggregate.type,
  retryTiers: 3,
  schemas: commentAggregate.schemas,
  database: 'comment_service',
  tables: ['comment', 'comments_per_board'],
};
