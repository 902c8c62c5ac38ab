import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateEventSchema1764200000000 implements MigrationInterface {
  readonly name = 'CreateEventSchema1764200000000';

  async up(runner: QueryRunner): Promise<void> {
    // By id alone: events with it may still be in the topic, so it must never mean another schema.
    await runner.query(`
      CREATE TABLE IF NOT EXISTS event_schema (
        schema_id   INT          NOT NULL PRIMARY KEY,
        subject     VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
        fingerprint CHAR(64)     CHARACTER SET ascii   COLLATE ascii_bin        NOT NULL,
        used_from   DATETIME(3)  NOT NULL
      ) ENGINE = InnoDB`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE event_schema');
  }
}
