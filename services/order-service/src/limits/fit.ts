/** Something that must have room in something else, at its worst. */
export interface Fit {
  readonly what: string;
  readonly takes: number;
  readonly into: string;
  readonly room: number;
}

/** What does not fit, in sentences. */
export function findMisfits(fits: readonly Fit[]): string[] {
  return (
    fits
      // Not `takes > room`: a limit that is no number has room for nothing.
      .filter(({ takes, room }) => !(takes <= room))
      .map(({ what, takes, into, room }) => `${what} may take ${takes}, ${into} has room for ${room}`)
  );
}
