import { cutPage, type Database, type PageCandidate } from '@board/mysql';
import type { AggregateRows } from '@board/outbox';
import { EntitySchema, In, IsNull, type EntityManager, type FindManyOptions } from 'typeorm';
import type { BoardReader } from '../application/ports.ts';
import type { Board } from '../domain/board.ts';
import type { Comment } from '../domain/comment.ts';

/*
 * The tables of the aggregates, which `migrations.ts` makes: how their rows are locked, changed and
 * read.
 */

export const boardTable = new EntitySchema<Board>({
  name: 'Board',
  tableName: 'board',
  columns: {
    id: { type: 'char', length: 36, primary: true },
    version: { type: 'int', unsigned: true },
    title: { type: 'varchar', length: 200 },
    content: { type: 'mediumtext' },
    author: { type: 'varchar', length: 100, nullable: true },
    createdAt: { name: 'created_at', type: 'datetime', precision: 3 },
    updatedAt: { name: 'updated_at', type: 'datetime', precision: 3 },
    deletedAt: { name: 'deleted_at', type: 'datetime', precision: 3, nullable: true },
  },
});

/** An author and a time of creation never change. */
export const boardRows = aggregateRows(boardTable, [
  'version',
  'title',
  'content',
  'updatedAt',
  'deletedAt',
]);

/** Reads boards; a page costs about what it shows, however many boards were deleted. */
export function createBoardReader(database: Database): BoardReader {
  return {
    async find(id) {
      return (await database.read((manager) => manager.findOneBy(boardTable, { id }))) ?? undefined;
    },
    list({ before, limit }) {
      return database.read(async (manager) => {
        // One more than asked for shows whether there is a next page.
        const found: PageCandidate[] = await manager.query(
          `SELECT id, OCTET_LENGTH(title) + OCTET_LENGTH(content) + COALESCE(OCTET_LENGTH(author), 0) AS bytes FROM board
           WHERE deleted_at IS NULL${before === undefined ? '' : ' AND id < ?'} ORDER BY id DESC LIMIT ?`,
          [...(before === undefined ? [] : [before]), limit + 1],
        );
        const { ids, next } = cutPage(found, limit);
        // A board may be deleted between the two statements.
        const where = { id: In([...ids]), deletedAt: IsNull() };
        const boards = await manager.find(boardTable, { where, order: { id: 'DESC' } });
        return { boards, next };
      });
    },
  };
}

export const commentTable = new EntitySchema<Comment>({
  name: 'Comment',
  tableName: 'comment',
  columns: {
    id: { type: 'char', length: 36, primary: true },
    version: { type: 'int', unsigned: true },
    boardId: { name: 'board_id', type: 'char', length: 36 },
    text: { type: 'text' },
    author: { type: 'varchar', length: 100, nullable: true },
    createdAt: { name: 'created_at', type: 'datetime', precision: 3 },
    deletedAt: { name: 'deleted_at', type: 'datetime', precision: 3, nullable: true },
  },
});

/** A comment is only removed, never edited. */
export const commentRows = aggregateRows(commentTable, ['version', 'deletedAt']);

/**
 * Whether a board takes comments. `database` must be the one that commits: a pool for reads may be
 * behind.
 */
export function createBoardFinder(
  database: Database,
): (id: string) => Promise<'live' | 'missing' | 'deleted'> {
  return async (id) => {
    const [board]: { deletedAt: Date | null }[] = await database.read((manager) =>
      manager.query('SELECT deleted_at AS deletedAt FROM board WHERE id = ?', [id]),
    );
    if (board === undefined) return 'missing';
    return board.deletedAt === null ? 'live' : 'deleted';
  };
}

/**
 * Finds a comment, also a removed one; throws UnavailableError when the database cannot be asked.
 */
export function createCommentFinder(
  database: Database,
): (id: string) => Promise<Comment | undefined> {
  return async (id) =>
    (await database.read((manager) => manager.findOneBy(commentTable, { id }))) ?? undefined;
}

/**
 * How the transaction that writes the events of a kind of aggregate locks and changes its rows.
 *
 * `table` has one row for each aggregate, by `id`; an update writes the `changing` properties only.
 */
function aggregateRows<State extends { readonly id: string }>(
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
          ...(held === 'leave' ? { onLocked: 'skip_locked' } : {}),
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

    // One statement for all; the rows exist and are locked, so none is inserted.
    update: (manager, states) => write(manager, update, states),
  };
}
