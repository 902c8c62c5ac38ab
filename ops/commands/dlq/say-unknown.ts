/** Names the letters that were asked for and are not there; the command has failed then. */
export function sayUnknown(letters: ReadonlySet<string>): void {
  for (const letter of letters)
    console.error(`${letter}: there is no such letter; "list --all" shows those there are.`);
  if (letters.size > 0) process.exitCode = 1;
}
