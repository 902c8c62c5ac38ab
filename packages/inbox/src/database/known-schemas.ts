import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import type { Consumer } from '../consumer.ts';

/** Which schema an id meant when this consumer first resolved it: what tells a registry that lost or changed its schemas. */
export class KnownSchemas1764000000003 implements MigrationInterface {
  readonly name = 'KnownSchemas1764000000003';

  async up(runner: QueryRunner): Promise<void> {
    // By event type too: a registry that was filled anew may give the id of one type's schema to another's.
    await runner.query(`CREATE TABLE IF NOT EXISTS known_schema (
      consumer VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      event_type VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
      schema_id INT NOT NULL,
      decision ENUM('registry', 'stored', 'refused') NOT NULL,
      fingerprint CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
      schema_text MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NULL,
      stored_at BIGINT UNSIGNED NOT NULL,
      PRIMARY KEY (consumer, event_type, schema_id)
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE known_schema');
  }
}

/** A schema id as the events of one type carry it. */
export interface SchemaKey {
  readonly eventType: string;
  readonly schemaId: number;
}

/** `registry`: used while the registry agrees; `stored`: used whatever it says; `refused`: its events are dead-lettered. */
export type KnownSchema = SchemaKey &
  (
    | { readonly decision: 'registry' | 'stored'; readonly fingerprint: string; readonly text: string }
    | { readonly decision: 'refused' }
  );

interface Row {
  readonly event_type: string;
  readonly schema_id: number;
  readonly decision: 'registry' | 'stored' | 'refused';
  readonly fingerprint: string | null;
  readonly schema_text: string | null;
}

/** A handful: one for each version of a schema that ever wrote an event. */
export async function readKnownSchemas(dataSource: DataSource, { group }: Consumer): Promise<readonly KnownSchema[]> {
  const rows: readonly Row[] = await dataSource.query(
    `SELECT event_type, schema_id, decision, fingerprint, schema_text FROM known_schema
     WHERE consumer = ? ORDER BY event_type, schema_id`,
    [group],
  );
  return rows.map(({ event_type: eventType, schema_id: schemaId, decision, fingerprint, schema_text: text }) =>
    decision === 'refused' || fingerprint === null || text === null
      ? { eventType, schemaId: schemaId, decision: 'refused' }
      : { eventType, schemaId: schemaId, decision, fingerprint, text },
  );
}

/** Remembers a schema that the registry gave; the first to be remembered stays. */
export async function rememberSchema(
  dataSource: DataSource,
  consumer: Consumer,
  { eventType, schemaId, fingerprint, text }: SchemaKey & { readonly fingerprint: string; readonly text: string },
  nowMs: number,
): Promise<void> {
  await dataSource.query(
    `INSERT INTO known_schema (consumer, event_type, schema_id, decision, fingerprint, schema_text, stored_at)
     VALUES (?, ?, ?, 'registry', ?, ?, ?) ON DUPLICATE KEY UPDATE schema_id = known_schema.schema_id`,
    [consumer.group, eventType, schemaId, fingerprint, text, nowMs],
  );
}

/** What an operator decides of an id: replaces what was remembered of it. */
export async function decideSchema(
  dataSource: DataSource,
  consumer: Consumer,
  schema: KnownSchema,
  nowMs: number,
): Promise<void> {
  const [fingerprint, text] = schema.decision === 'refused' ? [null, null] : [schema.fingerprint, schema.text];
  await dataSource.query(
    `INSERT INTO known_schema (consumer, event_type, schema_id, decision, fingerprint, schema_text, stored_at)
     VALUES (?, ?, ?, ?, ?, ?, ?) AS decided ON DUPLICATE KEY UPDATE decision = decided.decision,
       fingerprint = decided.fingerprint, schema_text = decided.schema_text, stored_at = decided.stored_at`,
    [consumer.group, schema.eventType, schema.schemaId, schema.decision, fingerprint, text, nowMs],
  );
}

export async function forgetSchema(
  dataSource: DataSource,
  { group }: Consumer,
  { eventType, schemaId }: SchemaKey,
): Promise<void> {
  await dataSource.query('DELETE FROM known_schema WHERE consumer = ? AND event_type = ? AND schema_id = ?', [
    group,
    eventType,
    schemaId,
  ]);
}
