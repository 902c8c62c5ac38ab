import { catalogConsumer } from '@board/contracts';
import { runConsumerService } from '@board/inbox';
import { boardHandler } from './application/board-handler.ts';
import { createCatalogReader } from './database/catalog-reader.ts';
import { catalogTable } from './database/catalog-table.ts';
import { catalogWriter } from './database/catalog-writer.ts';
import { catalogRouter } from './http/catalog-router.ts';

await runConsumerService({
  consumer: catalogConsumer,
  handler: boardHandler(catalogWriter),
  entities: [catalogTable],
  routers: (reads) => [catalogRouter(createCatalogReader(reads))],
});
