type Entries = Readonly<Record<string, string | number | boolean>>;

/** Text of a Java properties file: one `key=value` a line. Java reads it as Latin-1, so other letters are written as \uXXXX. */
export function properties(entries: Entries): string {
  return lines(entries, (value) =>
    value
      .replaceAll('\\', String.raw`\\`)
      .replaceAll('\n', String.raw`\n`)
      .replace(/^ /, String.raw`\ `)
      .replaceAll(/[^\x20-\x7e]/g, (unit) => String.raw`\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}

/** Lines of a section of MySQL's option file; a value in which MySQL would find a comment, a quote or an escape is quoted. */
export function optionFileLines(entries: Entries): string {
  const quote = (value: string): string =>
    /[#"'\\]|^\s|\s$/.test(value)
      ? `"${value.replaceAll('\\', String.raw`\\`).replaceAll('"', String.raw`\"`)}"`
      : value;
  return lines(entries, quote);
}

function lines(entries: Entries, write: (value: string) => string): string {
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${write(String(value))}\n`)
    .join('');
}
