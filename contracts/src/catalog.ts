import { boardAggregate } from './board.ts';
import type { ConsumerDefinition } from './consumer.ts';

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
