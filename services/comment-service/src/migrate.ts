import { migrateService } from '@board/mysql';
import { migrations } from './database/comment-tables.ts';

await migrateService('comment-service', migrations);
