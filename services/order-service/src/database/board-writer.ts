import type { Database } from '@board/database-kit';
import { createUnitOfWork, type OutboxEvent } from '@board/outbox';
import type { BoardChange, BoardWriter } from '../application/ports.ts';
import { boardTable } from './board-table.ts';

/** Stores boards and their events; `toEvent` encodes the event with the registered schema. */
export function createBoardWriter(database: Database, toEvent: (change: BoardChange) => OutboxEvent): BoardWriter {
  const unitOfWork = createUnitOfWork<BoardChange>(database, {
    toEvent,
    async writeChanges(manager, changes) {
      const rows = changes.map(({ board }) => ({ ...board, deletedAt: null }));
      await manager.createQueryBuilder().insert().into(boardTable).values(rows).updateEntity(false).execute();
    },
  });
  return { save: (change) => unitOfWork.commit(change) };
}
