/** Prints each line with the seconds since the first. */
export function makeProgress(): (line: string) => void {
  const startedAt = Date.now();
  return (line) => {
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1).padStart(5);
    console.log(`${seconds} s  ${line}`);
  };
}
