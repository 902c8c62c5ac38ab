import type { DataSource } from 'typeorm';

/** A schema id as the events of one type carry it. */
export interface SchemaKey {
  readonly eventType: string;
  readonly schemaId: number;
}

interface LearnedSchema extends SchemaKey {
  readonly fingerprint: string;
  readonly text: string;
}

/**
 * `registry`: used while the registry agrees; `stored`: used whatever it says; `refused`: its
 * events are dead-lettered.
 */
export type KnownSchema =
  | (LearnedSchema & { readonly decision: 'registry' | 'stored' })
  | (SchemaKey & { readonly decision: 'refused' });

/**
 * Which schema an id meant when this consumer first resolved it, so that a registry that lost or
 * changed its schemas is noticed.
 */
export interface SchemaMemory {
  /** A handful: one for each version of a schema that ever wrote an event. */
  read(): Promise<readonly KnownSchema[]>;
  /** Remembers a schema that the registry gave; the first to be remembered stays. */
  remember(schema: LearnedSchema): Promise<void>;
  /** Stores an operator's decision on an id, in place of what was remembered of it. */
  decide(schema: KnownSchema): Promise<void>;
  forget(key: SchemaKey): Promise<void>;
  /**
   * Open dead letters of invalid events whose error begins with a text: how many, and the ids of
   * the first of them.
   */
  findDeadLetters(
    text: string,
    limit: number,
  ): Promise<{ readonly count: number; readonly deadLetters: readonly string[] }>;
}

/** The schema memory in MySQL: table `known_schema`. It needs no transaction of the store. */
export function mysqlSchemaMemory(
  dataSource: DataSource,
  group: string,
  nowMs: () => number,
): SchemaMemory {
  return {
    async read() {
      const rows: readonly SchemaRow[] = await dataSource.query(
        `SELECT event_type, schema_id, decision, fingerprint, schema_text FROM known_schema
         WHERE consumer = ? ORDER BY event_type, schema_id`,
        [group],
      );
      return rows.map(
        ({
          event_type: eventType,
          schema_id: schemaId,
          decision,
          fingerprint,
          schema_text: text,
        }) =>
          decision === 'refused' || fingerprint === null || text === null
            ? { eventType, schemaId, decision: 'refused' }
            : { eventType, schemaId, decision, fingerprint, text },
      );
    },

    async remember({ eventType, schemaId, fingerprint, text }) {
      await dataSource.query(
        `INSERT INTO known_schema (consumer, event_type, schema_id, decision, fingerprint, schema_text, stored_at)
         VALUES (?, ?, ?, 'registry', ?, ?, ?) ON DUPLICATE KEY UPDATE schema_id = known_schema.schema_id`,
        [group, eventType, schemaId, fingerprint, text, nowMs()],
      );
    },

    async decide(schema) {
      const [fingerprint, text] =
        schema.decision === 'refused' ? [null, null] : [schema.fingerprint, schema.text];
      await dataSource.query(
        `INSERT INTO known_schema (consumer, event_type, schema_id, decision, fingerprint, schema_text, stored_at)
         VALUES (?, ?, ?, ?, ?, ?, ?) AS decided ON DUPLICATE KEY UPDATE decision = decided.decision,
           fingerprint = decided.fingerprint, schema_text = decided.schema_text, stored_at = decided.stored_at`,
        [group, schema.eventType, schema.schemaId, schema.decision, fingerprint, text, nowMs()],
      );
    },

    async forget({ eventType, schemaId }) {
      await dataSource.query(
        'DELETE FROM known_schema WHERE consumer = ? AND event_type = ? AND schema_id = ?',
        [group, eventType, schemaId],
      );
    },

    async findDeadLetters(text, limit) {
      const where = `FROM dead_letter WHERE consumer = ? AND closed_at IS NULL AND reason = 'invalid-event' AND LEFT(error_message, CHAR_LENGTH(?)) = ?`;
      const [row]: readonly { count: string }[] = await dataSource.query(
        `SELECT COUNT(*) AS count ${where}`,
        [group, text, text],
      );
      const rows: readonly { letter: string }[] = await dataSource.query(
        `SELECT letter ${where} ORDER BY last_failed_at, letter LIMIT ?`,
        [group, text, text, limit],
      );
      return { count: Number(row?.count ?? 0), deadLetters: rows.map(({ letter }) => letter) };
    },
  };
}

interface SchemaRow {
  readonly event_type: string;
  readonly schema_id: number;
  readonly decision: 'registry' | 'stored' | 'refused';
  readonly fingerprint: string | null;
  readonly schema_text: string | null;
}
