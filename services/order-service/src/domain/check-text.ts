/** A field that breaks a rule, and what it must be instead; sent to clients in these names. */
export interface Violation {
  readonly field: string;
  readonly wants: string;
}

/** Whether the text has more code points; counts them only if its UTF-16 units may be that many. */
export function isLonger(text: string, codePoints: number): boolean {
  return text.length > codePoints * 2 || [...text].length > codePoints;
}

/**
 * The fields that would not reach a consumer unchanged: UTF-8 has no lone surrogates, and C
 * programs end a text at NUL.
 */
export function findUnstorable(texts: Readonly<Record<string, string>>): Violation[] {
  return Object.entries(texts)
    .filter(([, text]) => !text.isWellFormed() || text.includes('\0'))
    .map(([field]) => ({ field, wants: 'no NUL and no half of a surrogate pair' }));
}
