import { boardOutbox } from '@board/relay';
import { consumers, keeperMemoryTopic, moveConsumers } from '@board/contracts';
import { databaseFields } from '@board/mysql';
import { kafkaFields } from '@board/kafka';
import { configFields } from '@board/service';
import { z } from 'zod';

const name = () =>
  z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,50}$/)
    .describe('1 to 50 characters of A-Z, a-z, 0-9, ., _ and -');

/** The settings of the keeper, read from the environment. */
export const serviceSchema = z.object({
  ...configFields.process('keeper'),
  ...databaseFields,
  ...kafkaFields,
  HTTP_HOST: configFields.host().default('127.0.0.1'),
  HTTP_PORT: configFields.port().default(8084),
  CONNECT_URL: configFields.httpUrl(),
  CONNECTOR: name().default(boardOutbox.name),
  CONSUMER_GROUP: z
    .never()
    .optional()
    .describe('unset, because the contracts name the consumers: take it away'),
  /**
   * Where the tables of a consumer are, on the same server, when not in the database that the
   * contracts name.
   */
  CONSUMER_DATABASE: z
    .string()
    .transform((text, context) => {
      const moved = moveConsumers(text);
      if (moved !== undefined) return moved;
      context.addIssue('unknown');
      return z.NEVER;
    })
    .describe(
      `<consumer>=<database>, more after commas; the consumers are ${consumers.map(({ name }) => name).join(', ')}`,
    )
    .default(consumers),
  MEMORY_TOPIC: name().default(keeperMemoryTopic.name),
  /**
   * A position that is lost and rebuilt between two observations goes unnoticed; a snapshot takes
   * longer than this.
   */
  OBSERVE_EVERY_MS: configFields.milliseconds().default(1_000),
  COLUMNS_EVERY_MS: configFields.milliseconds().default(60_000),
  PURGE_EVERY_MS: configFields.milliseconds().default(3_600_000),
  TRIM_EVERY_MS: configFields.milliseconds().default(600_000),
  OUTBOX_RETENTION_HOURS: z
    .string()
    .regex(/^[1-9]\d{0,4}$/)
    .transform(Number)
    .default(7 * 24)
    .describe('a number of hours from 1 to 99999'),
});
