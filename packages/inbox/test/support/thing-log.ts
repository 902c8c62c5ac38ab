import type { DriverConnection as Connection, RowDataPacket } from '@board/mysql';
import type { EntityManager } from 'typeorm';
import type { Handler, Message } from '../../src/handler.ts';
import type { ThingChanged } from './thing-codec.ts';

export const thingLogTable = `CREATE TABLE thing_log (
  seq BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
  aggregateid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  version INT UNSIGNED NOT NULL,
  event_id VARCHAR(36) NOT NULL,
  KEY (aggregateid, version)
)`;

/** What a test makes of a message before its effect; throws to fail it. */
export type Sabotage = (message: Message<ThingChanged>, signal: AbortSignal) => unknown;

/**
 * A handler whose effect is not idempotent: one row per application, in the order of application.
 */
export function thingLogHandler(
  options: {
    sabotage?: Sabotage | undefined;
    batch?: boolean;
    afterDeadLetter?: 'block' | 'skip';
  } = {},
): Handler<ThingChanged> {
  const { sabotage = () => undefined, batch = false, afterDeadLetter = 'block' } = options;

  async function write(
    messages: readonly Message<ThingChanged>[],
    tx: EntityManager,
    signal: AbortSignal,
  ): Promise<void> {
    for (const message of messages) await sabotage(message, signal);
    await tx.query('INSERT INTO thing_log (aggregateid, version, event_id) VALUES ?', [
      messages.map(({ aggregateId, version, eventId }) => [aggregateId, version, eventId]),
    ]);
  }

  return {
    afterDeadLetter,
    handle: (message, tx, signal) => write([message], tx, signal),
    ...(batch ? { handleBatch: write } : {}),
  };
}

/** The versions applied to each aggregate, in the order in which they were applied. */
export async function appliedVersions(root: Connection): Promise<Map<string, number[]>> {
  const [rows] = await root.query<(RowDataPacket & { aggregateid: string; version: number })[]>(
    'SELECT aggregateid, version FROM thing_log ORDER BY seq',
  );
  const versions = new Map<string, number[]>();
  for (const { aggregateid, version } of rows)
    versions.set(aggregateid, [...(versions.get(aggregateid) ?? []), version]);
  return versions;
}
