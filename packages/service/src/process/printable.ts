/**
 * What moves the cursor, changes colours, turns the direction of writing around, or takes room
 * without being seen.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Text that others wrote, for a terminal: with escapes, as JSON has them, for all that could make
 * it look like other text. Line ends and tabs stay.
 */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (char) =>
    char === '\n' || char === '\t' ? char : escape(char),
  );
}

function escape(char: string): string {
  return char
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
