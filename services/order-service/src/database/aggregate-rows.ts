import type { AggregateRows } from '@board/outbox';
import { In, type EntityManager, type EntitySchema, type FindManyOptions } from 'typeorm';

/**
 * The rows of a kind of aggregate, as the transaction that also writes their events locks and
 * changes them.
 *
 * `table` has one row for each, by `id`; of a row that is there only the `changing` properties are
 * written again.
 */
export function aggregateRows<State extends { readonly id: string }>(
  table: EntitySchema<State>,
  changing: readonly (keyof State & string)[],
): AggregateRows<State> {
  const { tableName, columns } = table.options;
  const properties = Object.keys(columns) as (keyof State & string)[];
  const columnOf = (property: keyof State & string): string =>
    `\`${columns[property]?.name ?? property}\``;
  const insert = `INSERT INTO \`${tableName}\` (${properties.map(columnOf).join(', ')}) VALUES ?`;
  const changes = changing.map(
    (property) => `${columnOf(property)} = changed.${columnOf(property)}`,
  );
  const update = `${insert} AS changed ON DUPLICATE KEY UPDATE ${changes.join(', ')}`;

  async function write(
    manager: EntityManager,
    statement: string,
    states: readonly State[],
  ): Promise<void> {
    await manager.query(statement, [
      states.map((state) => properties.map((property) => state[property])),
    ]);
  }

  return {
    async lock(manager, ids, held) {
      const found = await manager.find(table, {
        where: { id: In([...ids]) },
        order: { id: 'ASC' },
        lock: {
          mode: 'pessimistic_write',
          ...(held === 'skip' ? { onLocked: 'skip_locked' } : {}),
        },
      } as FindManyOptions<State>);
      return new Map(found.map((state) => [state.id, state]));
    },

    async exist(manager, ids) {
      const rows: { id: string }[] = await manager.query(
        `SELECT id FROM \`${tableName}\` WHERE id IN (?)`,
        [ids],
      );
      return new Set(rows.map(({ id }) => id));
    },

    insert: (manager, states) => write(manager, insert, states),

    // One statement for all; the rows exist and are locked, so nothing is inserted.
    update: (manager, states) => write(manager, update, states),
  };
}
