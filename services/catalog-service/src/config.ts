import { consumerEnvironment } from '@board/inbox';
import { databaseFields } from '@board/mysql';
import { configFields } from '@board/service';
import { z } from 'zod';

export const serviceSchema = consumerEnvironment('catalog-service');

export const migrateSchema = z.object({ ...configFields.process('catalog-service-migrate'), ...databaseFields });
