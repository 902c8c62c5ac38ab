import { migrateService } from '@board/mysql';
import { migrations } from './database/migrations.ts';

await migrateService('order-service', migrations);
