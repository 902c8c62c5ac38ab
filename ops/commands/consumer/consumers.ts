import { consumers } from '@board/contracts';
import { z } from 'zod';

/** What the commands know of a consumer. */
export type KnownConsumer = {
  readonly group: string;
  readonly sourceTopic: string;
  readonly aggregateType: string;
} & (NamedConsumer | UnnamedConsumer);

interface NamedConsumer {
  readonly kind: 'named';
  /** The MySQL database of its marks, and the name of its user there. */
  readonly database: string;
  /** Its own tables, which a rebuild empties. */
  readonly tables: readonly string[];
  /** Fills its tables from a baseline; undefined: there is no baseline. */
  readonly seed: Seed | undefined;
}

/** The environment names its database; its own tables are not known: no rebuild, no baseline. */
interface UnnamedConsumer {
  readonly kind: 'unnamed';
}

type Seed = (tx: ConsumerTransaction, rows: readonly SeedRow[]) => Promise<void>;

/** The part of a transaction that a baseline or a rebuild uses. */
export interface ConsumerTransaction {
  query(sql: string, values?: unknown[]): Promise<unknown>;
}

/** A row of a baseline: one line of its file. */
export interface SeedRow {
  readonly aggregateId: string;
  readonly version: number;
  readonly eventId: string;
  readonly data: unknown;
}

/** How a consumer's entry of an aggregate is compared with the aggregate's row, beside versions. */
export interface ComparedContent {
  /** The consumer's table with one row per aggregate, by `id`. */
  readonly table: string;
  /** An SQL expression of all that row and entry have in common; `alias` names either's table. */
  readonly of: (alias: string) => string;
}

/** How a baseline fills a consumer's tables, by the consumer's name. */
const seeds: Readonly<Record<string, Seed>> = { catalog: seedCatalog };

/**
 * What the audit compares, by the consumer's name. A consumer that is not listed keeps no copy of
 * the aggregates: only its marks are compared.
 */
export const comparedContents: Readonly<Record<string, ComparedContent>> = {
  catalog: { table: 'catalog', of: boardContent },
};

export const consumerNames: readonly string[] = consumers.map(({ name }) => name);

/**
 * Finds a consumer by its name, or makes one of `<group>/<topic>/<aggregate type>`; undefined when
 * the text is neither.
 */
export function findConsumer(name: string): KnownConsumer | undefined {
  const known = consumers.find((consumer) => consumer.name === name);
  if (known !== undefined) {
    const { group, source, aggregateType, database, tables } = known;
    const place = { group, sourceTopic: source.name, aggregateType };
    return { kind: 'named', ...place, database, tables, seed: seeds[name] };
  }
  const [group, sourceTopic, aggregateType, ...more] = name.split('/');
  return group && sourceTopic && aggregateType && more.length === 0
    ? { kind: 'unnamed', group, sourceTopic, aggregateType }
    : undefined;
}

const rowsPerStatement = 10_000;

/** Empties a consumer's tables in steps, so that no statement exceeds the connection's timeout. */
export async function deleteRows(
  tx: ConsumerTransaction,
  tables: readonly string[],
): Promise<void> {
  for (const table of tables) {
    for (;;) {
      const { affectedRows } = (await tx.query(`DELETE FROM ${table} LIMIT ?`, [
        rowsPerStatement,
      ])) as {
        affectedRows: number;
      };
      if (affectedRows < rowsPerStatement) break;
    }
  }
}

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

const board = z.object({
  title: z.string(),
  content: z.string(),
  author: z.string().nullable(),
  createdAt: time,
  updatedAt: time,
  deletedAt: time.nullable(),
});

/** Fills the tables of catalog-service as if each event of the boards had been applied there. */
export async function seedCatalog(
  tx: ConsumerTransaction,
  rows: readonly SeedRow[],
): Promise<void> {
  const boards = rows.map((row) => ({ ...row, board: parseBoard(row) }));
  await tx.query(
    `INSERT INTO catalog (id, version, title, content, author, created_at, updated_at, deleted_at,
      applied_count) VALUES ?`,
    // The last column counts applied events.
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
    `board ${aggregateId}: data.${issue?.path.join('.') ?? ''}: ` +
      (issue?.message ?? 'is not a board'),
  );
}

/** Lengths come first: text that moves from one column to the next makes a difference. */
function boardContent(alias: string): string {
  const column = (name: string): string => `${alias}.${name}`;
  const parts = [
    column('version'),
    column('created_at'),
    column('updated_at'),
    `COALESCE(${column('deleted_at')}, 'not deleted')`,
    ...(['title', 'content'] as const).flatMap((name) => [`LENGTH(${column(name)})`, column(name)]),
    `COALESCE(LENGTH(${column('author')}), 'no author')`,
    `COALESCE(${column('author')}, '')`,
  ];
  return `CONCAT_WS('|', ${parts.join(', ')})`;
}
