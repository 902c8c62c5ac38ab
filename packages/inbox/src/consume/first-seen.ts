import type { SourceRecord } from '../record.ts';

export interface FirstSeen {
  /** Notes consecutive records of one partition as seen by now, those that were seen before as they were. */
  note(records: readonly SourceRecord[]): void;
  /** For how long a noted record has been in hand. */
  seenForMs(record: SourceRecord): number;
}

/** Remembers when each record in hand was first in hand; forgets what comes before the records that are noted. */
export function trackFirstSeen(elapsedMs: () => number): FirstSeen {
  const partitions = new Map<string, Map<string, number>>();
  const nameOf = ({ origin }: SourceRecord): string => `${origin.topic}/${origin.partition}`;

  return {
    note(records) {
      const [first] = records;
      if (first === undefined) return;
      const before = partitions.get(nameOf(first));
      const nowMs = elapsedMs();
      partitions.set(
        nameOf(first),
        new Map(records.map(({ origin: { offset } }) => [offset, before?.get(offset) ?? nowMs])),
      );
    },
    seenForMs: (record) => {
      const sinceMs = partitions.get(nameOf(record))?.get(record.origin.offset);
      return sinceMs === undefined ? 0 : elapsedMs() - sinceMs;
    },
  };
}
