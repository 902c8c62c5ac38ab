/**
 * Tells whether an object in the JSON `source` of `value` has a key twice, of which JSON.parse silently keeps the last.
 *
 * Then the source holds more texts, keys included, than the value.
 */
export function hasRepeatedKey(source: string, value: unknown): boolean {
  return countInSource(source) !== countInValue(value);
}

function countInSource(source: string): number {
  let count = 0;
  for (let quote = source.indexOf('"'); quote !== -1; quote = source.indexOf('"', quote + 1)) {
    count += 1;
    do quote = source.indexOf('"', quote + 1);
    while (isEscaped(source, quote));
  }
  return count;
}

/** An odd number of backslashes stands before it. */
function isEscaped(source: string, quote: number): boolean {
  let first = quote;
  while (source[first - 1] === '\\') first -= 1;
  return (quote - first) % 2 === 1;
}

/** Without recursion: a body may nest deeper than the stack. */
function countInValue(value: unknown): number {
  let count = 0;
  const left = [value];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one === 'string') count += 1;
    if (typeof one !== 'object' || one === null) continue;
    const values: unknown[] = Object.values(one);
    if (!Array.isArray(one)) count += values.length;
    for (const inner of values) left.push(inner);
  }
  return count;
}
