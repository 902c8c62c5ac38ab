import type { EntityManager } from 'typeorm';

/** How the owner of an aggregate reads and writes its rows; every call happens inside the transaction of the events. */
export interface AggregateRows<State> {
  /** Locks the rows of these sorted ids and reads them; `skip` leaves out those that another transaction holds. */
  readonly lock: (
    manager: EntityManager,
    ids: readonly string[],
    held: 'skip' | 'wait',
  ) => Promise<ReadonlyMap<string, State>>;
  /** Which of the ids have a row, locked or not. */
  readonly exist: (manager: EntityManager, ids: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly insert: (manager: EntityManager, states: readonly State[]) => Promise<void>;
  /** The rows are locked by this transaction. */
  readonly update: (manager: EntityManager, states: readonly State[]) => Promise<void>;
}
