import { randomUUID } from 'node:crypto';
import { listRanges, readRanges, withAdmin } from '@board/kafka';
import type { Kafka } from 'kafkajs';
import { foldHistory, type RecordedColumns } from './fold-history.ts';

export interface SchemaHistory {
  /**
   * The columns that the connector's next start would give the table; undefined when the history
   * does not hold it.
   */
  readColumns(): Promise<RecordedColumns>;
}

interface Position {
  readonly low: bigint;
  readonly end: bigint;
}

/**
 * Reads what a connector's schema history says of one table. It remembers how far it has read, so a
 * history that grows costs its new records only; when records it has read are gone, it begins anew.
 */
export function openSchemaHistory(
  kafka: Kafka,
  { topic, tableId, readerPrefix }: { topic: string; tableId: string; readerPrefix: string },
): SchemaHistory {
  let read: Position = { low: 0n, end: 0n };
  let columns: RecordedColumns;
  return {
    async readColumns() {
      const now = await positionOf(kafka, topic);
      const continues = now !== undefined && now.low === read.low && now.end >= read.end;
      let folded = continues ? columns : undefined;
      if (now !== undefined) {
        const range = {
          topic,
          partition: 0,
          from: continues && read.end > now.low ? read.end : now.low,
          end: now.end,
        };
        await readRanges(kafka, `${readerPrefix}${randomUUID()}`, [range], (_range, { value }) => {
          if (value !== null) folded = foldHistory(folded, value.toString(), tableId);
          return 'more';
        });
      }
      columns = folded;
      read = now ?? { low: 0n, end: 0n };
      return columns;
    },
  };
}

/** Undefined when the topic is not there. */
async function positionOf(kafka: Kafka, topic: string): Promise<Position | undefined> {
  const [range] =
    (await withAdmin(kafka, (admin) => listRanges(admin, topic), { retries: 2 })) ?? [];
  return range === undefined ? undefined : { low: range.from, end: range.end };
}
