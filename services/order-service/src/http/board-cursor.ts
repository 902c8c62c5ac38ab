/** Where a page of the list ends: opaque to clients, so that it may hold something else one day. */
export const boardCursor = {
  of(boardId: string): string {
    return Buffer.from(boardId.replaceAll('-', ''), 'hex').toString('base64url');
  },

  /** The board's id, or undefined when the text is no cursor that `of` made. */
  read(cursor: string): string | undefined {
    const hex = Buffer.from(cursor, 'base64url').toString('hex');
    const boardId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return boardId.length === 36 && boardCursor.of(boardId) === cursor ? boardId : undefined;
  },
} as const;
