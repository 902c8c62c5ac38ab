/** How many transactions a set of GTIDs names. */
export function countTransactions(gtids: string): number {
  return gtids
    .split(/[,:\s]+/)
    .map((part) => /^(\d+)(?:-(\d+))?$/.exec(part))
    .reduce(
      (sum, match) =>
        sum + (match === null ? 0 : Number(match[2] ?? match[1]) - Number(match[1]) + 1),
      0,
    );
}
