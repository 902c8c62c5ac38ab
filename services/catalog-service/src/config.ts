import { databaseFields } from '@board/mysql';
import { kafkaFields } from '@board/kafka';
import { configFields } from '@board/service';
import { z } from 'zod';

export const serviceSchema = z.object({
  ...configFields.process('catalog-service'),
  ...databaseFields,
  HTTP_HOST: configFields.host().default('127.0.0.1'),
  HTTP_PORT: configFields.port().default(0),
  DRAIN_MS: configFields.drainMs(),
  REGISTRY_URL: configFields.httpUrl(),
  ...kafkaFields,
});

export const migrateSchema = z.object({ ...configFields.process('catalog-service-migrate'), ...databaseFields });
