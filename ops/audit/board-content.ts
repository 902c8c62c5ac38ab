const texts = ['title', 'content'] as const;

/**
 * Everything that a board and its catalog entry have in common, as one text; `table` is a name inside the statement.
 * Lengths come first, so that no two boards can look alike by moving a letter from one column to the next.
 */
export function boardContent(table: string): string {
  const column = (name: string): string => `${table}.${name}`;
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
