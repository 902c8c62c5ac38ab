const texts = ['title', 'content'] as const;

/** How an aggregate's row and a consumer's entry for it are compared, beside their versions. */
export interface ComparedContent {
  /** The consumer's table with one row per aggregate, by `id`. */
  readonly table: string;
  /**
   * Everything that row and entry have in common, as one text; `alias` is a table's name inside a
   * statement.
   */
  readonly of: (alias: string) => string;
}

/**
 * By the consumer's name. A consumer that is not listed keeps no copy of the aggregates: its marks
 * are compared alone.
 */
export const contents: Readonly<Record<string, ComparedContent>> = {
  catalog: { table: 'catalog', of: boardContent },
};

/**
 * Lengths come first, so that no two boards can look alike by moving a dead letter from one column
 * to the next.
 */
function boardContent(alias: string): string {
  const column = (name: string): string => `${alias}.${name}`;
  const parts = [
    column('version'),
    column('created_at'),
    column('updated_at'),
    `COALESCE(${column('deleted_at')}, 'not deleted')`,
    ...texts.flatMap((name) => [`LENGTH(${column(name)})`, column(name)]),
    `COALESCE(LENGTH(${column('author')}), 'no author')`,
    `COALESCE(${column('author')}, '')`,
  ];
  return `CONCAT_WS('|', ${parts.join(', ')})`;
}
