/** Counts the events that went from header decoding to COMMIT: while it grows, the inbox itself works. */
export interface Controls {
  count(): number;
  add(events: number): void;
}

export function countControls(): Controls {
  let count = 0;
  return {
    count: () => count,
    add: (events) => void (count += events),
  };
}
