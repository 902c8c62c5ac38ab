import { z } from 'zod';
import type { ConsumerRows, SeedRow } from './consumer-rows.ts';

const rowsPerStatement = 10_000;

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

const board = z.object({
  title: z.string(),
  content: z.string(),
  author: z.string().nullable(),
  createdAt: time,
  updatedAt: time,
  deletedAt: time.nullable(),
});

/** The tables of catalog-service. */
export const catalogRows: ConsumerRows = {
  async delete(tx) {
    // In steps, so that no statement of a large table runs into the limit that connections set.
    for (const table of ['catalog', 'created_per_day']) {
      for (;;) {
        const { affectedRows } = (await tx.query(`DELETE FROM ${table} LIMIT ?`, [rowsPerStatement])) as {
          affectedRows: number;
        };
        if (affectedRows < rowsPerStatement) break;
      }
    }
  },
  async seed(tx, rows) {
    const boards = rows.map((row) => ({ ...row, board: parseBoard(row) }));
    await tx.query(
      `INSERT INTO catalog (id, version, title, content, author, created_at, updated_at, deleted_at, applied_count) VALUES ?`,
      // As if each of its events had been applied here.
      [
        boards.map(({ aggregateId, version, board: { title, content, author, createdAt, updatedAt, deletedAt } }) => [
          aggregateId,
          version,
          title,
          content,
          author,
          createdAt,
          updatedAt,
          deletedAt,
          version,
        ]),
      ],
    );
    const days = Map.groupBy(boards, (one) => one.board.createdAt.toISOString().slice(0, 10));
    await tx.query(
      `INSERT INTO created_per_day (day, created) VALUES ? AS more
       ON DUPLICATE KEY UPDATE created = created_per_day.created + more.created`,
      [[...days].map(([day, created]) => [day, created.length])],
    );
  },
};

function parseBoard({ aggregateId, data }: SeedRow) {
  const parsed = board.safeParse(data);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`board ${aggregateId}: data.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not a board'}`);
}
