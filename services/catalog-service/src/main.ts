import { catalogConsumer } from '@board/contracts';
import { runConsumerService } from '@board/inbox';
import { boardHandler } from './application/board-handler.ts';
import { catalogTable, catalogWriter, createCatalogReader } from './database/catalog-table.ts';
import { catalogRouter } from './http/catalog-router.ts';

await runConsumerService({
  consumer: catalogConsumer,
  handler: boardHandler(catalogWriter),
  entities: [catalogTable],
  routers: (reads) => [catalogRouter(createCatalogReader(reads))],
});
