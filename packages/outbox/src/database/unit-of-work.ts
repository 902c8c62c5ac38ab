// Flow 3/9: one transaction: board, outbox
import type { Database } from '@board/database-kit';
import { failpoint } from '@board/service-kit';
import type { EntityManager } from 'typeorm';
import type { OutboxEvent } from '../outbox-event.ts';
import { insertOutbox } from './insert-outbox.ts';

export interface UnitOfWorkParts<Change> {
  /** Writes the rows of the changes; runs again after a deadlock. */
  readonly writeChanges: (manager: EntityManager, changes: readonly Change[]) => Promise<void>;
  /** The change's event; throws when the event breaks its contract. */
  readonly toEvent: (change: Change) => OutboxEvent;
}

export interface UnitOfWork<Change> {
  /** Resolves after COMMIT; throws UnavailableError when the database cannot take it now. */
  commit(change: Change): Promise<void>;
}

/** Writes a change and its event together or not at all: no other way leads to the rows. */
export function createUnitOfWork<Change>(database: Database, parts: UnitOfWorkParts<Change>): UnitOfWork<Change> {
  return {
    async commit(change) {
      await database.transaction(async (manager) => {
        // Contract before COMMIT: what consumers could not decode is not stored.
        const event = parts.toEvent(change);
        await parts.writeChanges(manager, [change]);
        await failpoint('between-inserts');
        await insertOutbox(manager, [event]);
        await failpoint('before-commit');
      });
      await failpoint('after-commit');
    },
  };
}
