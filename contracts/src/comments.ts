import { commentAggregate } from './comment.ts';
import type { ConsumerDefinition } from './consumer.ts';

/** The consumer of the running example in docs/your-own-events.md. */
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
