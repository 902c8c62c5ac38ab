/** The largest payload that the outbox takes; part of the table, so a migration's to change. */
export const payloadLimitBytes = 524_288;

/**
 * The table's first shape, for a migration of the service that owns the database; never edited, only followed by others.
 *
 * `aggregateTypes` are the topics the service may write to: the Event Router would ship to any name it is given.
 */
export function createOutboxTable(aggregateTypes: readonly string[]): string {
  const known = aggregateTypes.map((type) => {
    if (!/^[A-Za-z0-9_.-]{1,32}$/.test(type)) throw new Error(`${type} cannot be an aggregate type`);
    return `'${type}'`;
  });
  // The unique key on the version is the last guard of "every event is numbered inside its aggregate": a lost lock ends in
  // an error here and not in a conflict at every consumer. UUIDv7 ids make its inserts append, so it costs one warm page.
  return `
    CREATE TABLE IF NOT EXISTS outbox (
      seq           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
      id            CHAR(36)     CHARACTER SET ascii   COLLATE ascii_bin        NOT NULL,
      aggregatetype VARCHAR(32)  CHARACTER SET ascii   COLLATE ascii_bin        NOT NULL,
      aggregateid   VARCHAR(64)  CHARACTER SET ascii   COLLATE ascii_bin        NOT NULL,
      version       INT UNSIGNED NOT NULL,
      partition_key VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
      type          VARCHAR(64)  CHARACTER SET ascii   COLLATE ascii_bin        NOT NULL,
      payload       MEDIUMBLOB   NOT NULL,
      traceparent   CHAR(55)     CHARACTER SET ascii   COLLATE ascii_bin        NULL,
      occurred_at   DATETIME(6)  NOT NULL,
      UNIQUE KEY outbox_id (id),
      UNIQUE KEY outbox_version (aggregatetype, aggregateid, version),
      CONSTRAINT outbox_aggregatetype CHECK (aggregatetype IN (${known.join(', ')})),
      CONSTRAINT outbox_version_from_1 CHECK (version >= 1),
      CONSTRAINT outbox_payload_size CHECK (OCTET_LENGTH(payload) <= ${payloadLimitBytes})
    ) ENGINE = InnoDB`;
}
