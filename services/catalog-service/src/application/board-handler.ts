import type { BoardEvent } from '@board/contracts';
import { InvalidEventError, type Handler, type Message } from '@board/inbox';
import {
  toCatalogChange,
  type CatalogBoard,
  type CatalogChange,
  type CreatedPerDay,
} from '../domain/catalog-board.ts';

/** Writes inside a transaction `Tx` that belongs to the inbox. */
export interface CatalogWriter<Tx> {
  /** Applies the changes in order; not idempotent, because the inbox applies each event once. */
  apply(tx: Tx, changes: readonly CatalogChange[]): Promise<void>;
}

interface CatalogPage {
  readonly boards: readonly CatalogBoard[];
  /** The id to go on from, or null when this is the last page. */
  readonly next: string | null;
}

/** Reads the catalog for the HTTP edge. */
export interface CatalogReader {
  /** Throws UnavailableError when the database cannot be asked now; so do the others. */
  find(id: string): Promise<CatalogBoard | undefined>;
  /**
   * Boards that are not deleted, by id, which is by time of creation: those after the id `after`,
   * at most `limit` and fewer when they are long.
   */
  list(after: string, limit: number): Promise<CatalogPage>;
  /** Newest day first. */
  createdPerDay(limit: number): Promise<readonly CreatedPerDay[]>;
}

/**
 * Applies board events to the catalog; a dead letter blocks its board, because the catalog counts
 * every event.
 */
export function boardHandler(
  catalog: CatalogWriter<Parameters<Handler<BoardEvent>['handle']>[1]>,
): Handler<BoardEvent> {
  return {
    afterDeadLetter: 'block',
    handle: (message, tx) => catalog.apply(tx, [toChange(message)]),
    handleBatch: (messages, tx) => catalog.apply(tx, messages.map(toChange)),
  };
}

function toChange({ event, aggregateId, version }: Message<BoardEvent>): CatalogChange {
  if (event.data.id !== aggregateId)
    throw new InvalidEventError(
      `the event is about board ${event.data.id}, its header says ${aggregateId}`,
    );
  if (event.data.version !== version)
    throw new InvalidEventError(
      `the event has version ${event.data.version}, its header says ${version}`,
    );
  return toCatalogChange(event);
}
