import { readFileSync } from 'node:fs';
import type { BoardEventType } from './events.ts';
import { boardTopic } from './topics.ts';

/** An Avro schema and the registry subject that keeps its versions. */
export interface EventSchema {
  readonly eventType: BoardEventType;
  /** `<topic>-<full record name>` (the registry's topic-record strategy). */
  readonly subject: string;
  /** The Avro schema as JSON text. */
  readonly schema: string;
}

/** Every version of every subject must read every other one, old or new. */
export const schemaCompatibility = 'FULL_TRANSITIVE';

function read(eventType: BoardEventType, file: string): EventSchema {
  const schema = readFileSync(new URL(`../avro/${file}`, import.meta.url), 'utf8');
  return { eventType, subject: `${boardTopic.name}-board.events.${eventType}`, schema };
}

export const eventSchemas: readonly EventSchema[] = [
  read('BoardCreated', 'board-created.avsc'),
  read('BoardEdited', 'board-edited.avsc'),
  read('BoardDeleted', 'board-deleted.avsc'),
];
