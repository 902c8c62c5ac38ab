import type { BoardEvent } from '@board/contracts';
import { InvalidEventError, type Handler, type Message } from '@board/inbox';
import { toCatalogChange, type CatalogChange } from '../domain/to-catalog-change.ts';
import type { CatalogWriter } from './ports.ts';

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
