/**
 * The table of idempotency keys, for a migration of the service that owns the database; never edited, only followed by others.
 *
 * Clients choose keys at random: as a primary key they would spread the stored answers over every page of the table, so
 * rows lie in the order of arrival and only the narrow hash is random.
 */
export const createIdempotencyTable = `
    CREATE TABLE IF NOT EXISTS idempotency_key (
      seq         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
      key_hash    BINARY(32)  NOT NULL,
      fingerprint BINARY(32)  NOT NULL,
      answer      MEDIUMBLOB  NOT NULL,
      created_at  DATETIME(3) NOT NULL,
      UNIQUE KEY idempotency_key_hash (key_hash),
      KEY idempotency_key_created (created_at)
    ) ENGINE = InnoDB`;
