import { z } from 'zod';
import type { ConsumerTransaction, SeedRow } from './consumer-rows.ts';

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

const board = z.object({
  title: z.string(),
  content: z.string(),
  author: z.string().nullable(),
  createdAt: time,
  updatedAt: time,
  deletedAt: time.nullable(),
});

/** Fills the tables of catalog-service as if each board's events had been applied there. */
export async function seedCatalog(
  tx: ConsumerTransaction,
  rows: readonly SeedRow[],
): Promise<void> {
  const boards = rows.map((row) => ({ ...row, board: parseBoard(row) }));
  await tx.query(
    `INSERT INTO catalog (id, version, title, content, author, created_at, updated_at, deleted_at, applied_count) VALUES ?`,
    // As if each of its events had been applied here.
    [
      boards.map(
        ({
          aggregateId,
          version,
          board: { title, content, author, createdAt, updatedAt, deletedAt },
        }) => [
          aggregateId,
          version,
          title,
          content,
          author,
          createdAt,
          updatedAt,
          deletedAt,
          version,
        ],
      ),
    ],
  );
  const days = Map.groupBy(boards, (one) => one.board.createdAt.toISOString().slice(0, 10));
  await tx.query(
    `INSERT INTO created_per_day (day, created) VALUES ? AS more
       ON DUPLICATE KEY UPDATE created = created_per_day.created + more.created`,
    [[...days].map(([day, created]) => [day, created.length])],
  );
}

function parseBoard({ aggregateId, data }: SeedRow) {
  const parsed = board.safeParse(data);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(
    `board ${aggregateId}: data.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not a board'}`,
  );
}
