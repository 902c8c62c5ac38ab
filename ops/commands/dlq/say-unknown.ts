/** Names the dead letters that were asked for and are not there; the command has failed then. */
export function sayUnknown(deadLetters: ReadonlySet<string>): void {
  for (const deadLetter of deadLetters)
    console.error(
      `${deadLetter}: there is no such dead letter; "list --all" shows those there are.`,
    );
  if (deadLetters.size > 0) process.exitCode = 1;
}
