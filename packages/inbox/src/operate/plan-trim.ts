interface Ends {
  readonly partition: number;
  readonly low: string;
  readonly high: string;
}

interface Committed {
  readonly partition: number;
  readonly offset: string;
}

/** Up to where records of a partition can go, and how many that are. */
export interface Trim {
  readonly partition: number;
  readonly offset: string;
  readonly records: number;
}

/** Says which partitions have settled records; where nothing is committed, nothing is settled. */
export function planTrim(ends: readonly Ends[], committed: readonly Committed[]): Trim[] {
  return ends.flatMap(({ partition, low, high }) => {
    const settled = BigInt(committed.find((one) => one.partition === partition)?.offset ?? '-1');
    // -1 stands for "nothing committed", and to the broker for "everything": it must never get there.
    // An offset beyond the end is from a topic of the same name that is no more.
    if (settled < 0n || settled <= BigInt(low) || settled > BigInt(high)) return [];
    return [{ partition, offset: String(settled), records: Number(settled - BigInt(low)) }];
  });
}
