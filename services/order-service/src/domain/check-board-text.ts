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

/** A field that breaks a rule, and what it wants instead. */
export interface Violation {
  readonly field: keyof BoardText;
  readonly wants: string;
}

/** Every broken rule; text is taken as it is, nothing is trimmed or normalised. */
export function checkBoardText({ title, content, author }: BoardText): readonly Violation[] {
  const { titleCodePoints, contentBytes, authorCodePoints } = boardLimits;
  const violations: Violation[] = [];
  const refuse = (field: keyof BoardText, wants: string): void => void violations.push({ field, wants });

  if (title === '' || isLonger(title, titleCodePoints)) refuse('title', `1 to ${titleCodePoints} characters`);
  if (Buffer.byteLength(content) > contentBytes) refuse('content', `at most ${contentBytes} bytes of UTF-8`);
  // An empty author would be the partition key of all who send one: a single partition for all their boards.
  if (author === '' || (author !== null && isLonger(author, authorCodePoints))) {
    refuse('author', `1 to ${authorCodePoints} characters, or no author`);
  }
  for (const [field, text] of [
    ['title', title],
    ['content', content],
    ['author', author ?? ''],
  ] as const) {
    if (!isStorable(text)) refuse(field, 'no NUL and no half of a surrogate pair');
  }
  return violations;
}

/** Counts no further than needed: a text has at least half as many code points as UTF-16 units. */
function isLonger(text: string, codePoints: number): boolean {
  return text.length > codePoints * 2 || [...text].length > codePoints;
}

/** Neither would reach a consumer unchanged: UTF-8 has no lone surrogates, and C programs end a text at NUL. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
