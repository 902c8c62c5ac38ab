import { findUnstorable, isLonger, type Violation } from './check-text.ts';

/** Lengths in bytes of UTF-8 and in code points. */
export const commentLimits = { textBytes: 16_384, authorCodePoints: 100 } as const;

/** A comment on a board: added, and perhaps removed; it is never edited. */
export interface Comment {
  readonly id: string;
  readonly version: number;
  readonly boardId: string;
  readonly text: string;
  readonly author: string | null;
  readonly createdAt: Date;
  /** Removed comments stay as rows: their versions are what the audit compares. */
  readonly deletedAt: Date | null;
}

/** Every rule that the texts break; nothing is trimmed or normalised. */
export function checkComment({
  text,
  author,
}: Pick<Comment, 'text' | 'author'>): readonly Violation[] {
  const { textBytes, authorCodePoints } = commentLimits;
  const violations: Violation[] = [];
  if (text === '' || Buffer.byteLength(text) > textBytes)
    violations.push({ field: 'text', wants: `1 to ${textBytes} bytes of UTF-8` });
  if (author === '' || (author !== null && isLonger(author, authorCodePoints)))
    violations.push({
      field: 'author',
      wants: `1 to ${authorCodePoints} characters, or no author`,
    });
  return [...violations, ...findUnstorable({ text, author: author ?? '' })];
}
