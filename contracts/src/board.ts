import {
  defineEventTopic,
  readEventSchema,
  type AggregateDefinition,
  type ConsumerDefinition,
} from './definitions.ts';

/** State of a board after a change; times are in milliseconds since the epoch. */
export interface BoardState {
  readonly id: string;
  readonly version: number;
  readonly title: string;
  readonly content: string;
  readonly author: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface BoardCreated {
  readonly type: 'BoardCreated';
  readonly data: BoardState;
}

export interface BoardEdited {
  readonly type: 'BoardEdited';
  readonly data: BoardState;
}

export interface BoardDeleted {
  readonly type: 'BoardDeleted';
  readonly data: BoardState & { readonly deletedAt: number };
}

/** A fact about one board, in the shape of its Avro record (`avro/`). */
export type BoardEvent = BoardCreated | BoardEdited | BoardDeleted;

export type BoardEventType = BoardEvent['type'];

export const boardTopic = defineEventTopic('board');

export const boardAggregate: AggregateDefinition = {
  type: 'board',
  topic: boardTopic,
  schemas: [
    readEventSchema('board', 'BoardCreated', 'board-created.avsc'),
    readEventSchema('board', 'BoardEdited', 'board-edited.avsc'),
    readEventSchema('board', 'BoardDeleted', 'board-deleted.avsc'),
  ],
  database: 'order_service',
  table: 'board',
};

/** catalog-service, which copies the boards. */
export const catalogConsumer: ConsumerDefinition = {
  name: 'catalog',
  group: 'catalog-service',
  source: boardAggregate.topic,
  aggregateType: boardAggregate.type,
  retryTiers: 3,
  schemas: boardAggregate.schemas,
  database: 'catalog_service',
  tables: ['catalog', 'created_per_day'],
};
