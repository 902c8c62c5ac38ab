import { randomUUID } from 'node:crypto';
import { listRanges, readRanges, withAdmin } from '@board/kafka';
import type { Kafka } from 'kafkajs';
import * as z from 'zod';

/**
 * The columns of one table, in order, as the schema history holds them; undefined when it does not
 * hold the table.
 */
export type RecordedColumns = readonly string[] | undefined;

export interface SchemaHistory {
  /** Reads the columns that the connector's next start would give the table. */
  readColumns(): Promise<RecordedColumns>;
}

interface Position {
  readonly low: bigint;
  readonly end: bigint;
}

const change = z.object({
  type: z.string(),
  id: z.string(),
  previousId: z.string().nullish(),
  table: z
    .object({ columns: z.array(z.object({ name: z.string(), position: z.number() })) })
    .nullish(),
});

const historyRecord = z.object({ tableChanges: z.array(change).nullish() });

/** Debezium's id of a table in MySQL. */
export function tableIdOf(database: string, table: string): string {
  return `"${database}"."${table}"`;
}

/**
 * Reads what a connector's schema history says of one table. It remembers how far it has read, so a
 * history that grows costs its new records only; when records that it has read are gone, it begins
 * anew.
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

/**
 * Applies one more record of the history to the columns of a table; what is no such record is
 * passed over, as Debezium does.
 */
export function foldHistory(
  before: RecordedColumns,
  value: string,
  tableId: string,
): RecordedColumns {
  const parsed = historyRecord.safeParse(toJson(value));
  if (!parsed.success) return before;
  let columns = before;
  for (const { type, id, previousId, table } of parsed.data.tableChanges ?? []) {
    // Renamed away; the same record may rename another table into its place.
    if (previousId === tableId && id !== tableId) columns = undefined;
    if (id !== tableId) continue;
    columns =
      type === 'DROP'
        ? undefined
        : table?.columns.toSorted((a, b) => a.position - b.position).map(({ name }) => name);
  }
  return columns;
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
