/** One sentence without its full stop; the innermost cause comes last and says most: fetch calls every failure "fetch failed". */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = (error.message || error.name).replace(/\.$/, '');
  return error.cause instanceof Error ? `${text}: ${reasonOf(error.cause)}` : text;
}
