import { databaseFields } from '@board/mysql';
import { configFields } from '@board/service';
import { z } from 'zod';

/** The environment of order-service; waits and deadlines are in milliseconds. */
export const serviceSchema = z.object({
  ...configFields.process('order-service'),
  ...databaseFields,
  HTTP_HOST: configFields.host().default('127.0.0.1'),
  HTTP_PORT: configFields.port().default(8080),
  SHUTDOWN_DELAY_MS: configFields.shutdownDelayMs(),
  REGISTRY_URL: configFields.httpUrl(),
  SCHEMA_CHECK_MS: configFields.milliseconds().default(30_000),
  REQUEST_DEADLINE_MS: configFields.milliseconds().default(5_000),
  BODY_DEADLINE_MS: configFields.milliseconds().default(10_000),
  LEGACY_CREATE: configFields.onOff('on'),
});
