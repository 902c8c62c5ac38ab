import { findUnstorable, isLonger, type Violation } from './check-text.ts';

/** Lengths in code points, as MySQL counts characters; the content in bytes of UTF-8. */
export const boardLimits = {
  titleCodePoints: 200,
  contentBytes: 65_536,
  authorCodePoints: 100,
} as const;

export interface BoardText {
  readonly title: string;
  readonly content: string;
  readonly author: string | null;
}

/** Every broken rule; text is taken as it is, nothing is trimmed or normalised. */
export function checkBoardText({ title, content, author }: BoardText): readonly Violation[] {
  const { titleCodePoints, contentBytes, authorCodePoints } = boardLimits;
  const violations: Violation[] = [];
  const refuse = (field: keyof BoardText, wants: string): void =>
    void violations.push({ field, wants });

  if (title === '' || isLonger(title, titleCodePoints))
    refuse('title', `1 to ${titleCodePoints} characters`);
  if (Buffer.byteLength(content) > contentBytes)
    refuse('content', `at most ${contentBytes} bytes of UTF-8`);
  // An empty author would be the partition key of all who send one: a single partition for all
  // their boards.
  if (author === '' || (author !== null && isLonger(author, authorCodePoints))) {
    refuse('author', `1 to ${authorCodePoints} characters, or no author`);
  }
  return [...violations, ...findUnstorable({ title, content, author: author ?? '' })];
}
