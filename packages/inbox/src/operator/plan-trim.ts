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
    // Nothing new; nor -1, which here stands for "nothing committed", and to the broker for "everything".
    if (settled <= BigInt(low)) return [];
    // From a topic of the same name that is no more.
    if (settled > BigInt(high)) return [];
    return [{ partition, offset: String(settled), records: Number(settled - BigInt(low)) }];
  });
}
