import type { Session } from '@board/mysql';

/** A schema id as order-service first used it. */
export interface EventSchemaRow {
  readonly schemaId: number;
  readonly subject: string;
  readonly fingerprint: string;
  readonly usedFrom: Date;
}

export function readEventSchemas(session: Session): Promise<readonly EventSchemaRow[]> {
  return session.query<EventSchemaRow>(
    `SELECT schema_id AS schemaId, subject, fingerprint, used_from AS usedFrom FROM event_schema ORDER BY schema_id`,
  );
}

export async function forgetEventSchemas(session: Session): Promise<void> {
  await session.change('DELETE FROM event_schema');
}
