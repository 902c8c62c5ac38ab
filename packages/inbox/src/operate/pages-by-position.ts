import { deadLetterTopicName } from '@board/contracts';
import { closeSettledLetters } from '../database/dead-letters.ts';
import { toCondition, type LetterFilter } from './letter-filter.ts';
import { selectLetters, toLetter, type Letter, type LetterRow } from './letter.ts';
import type { Operator } from './operator.ts';
import { withAdmin } from './with-admin.ts';

/**
 * Letters that fit, page by page in the order of the DLQ, so that it is read once and forwards. Only letters that were in
 * the DLQ at the start: one that is replayed and fails again gets a later offset, and would come round for ever.
 */
export async function* pagesByPosition(
  operator: Operator,
  filter: LetterFilter,
  lettersPerPage: number,
): AsyncGenerator<readonly Letter[]> {
  const { consumer, dataSource, kafka } = operator;
  await closeSettledLetters(dataSource.manager, consumer, operator.now());
  const ends = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(deadLetterTopicName(consumer.group)));
  const condition = toCondition(consumer, filter);
  for (const { partition, high } of ends.toSorted((a, b) => a.partition - b.partition)) {
    let from = 0n;
    for (;;) {
      const rows: readonly LetterRow[] = await dataSource.query(
        `${selectLetters} WHERE ${condition.sql} AND dead_letter.dlq_partition = ?
           AND dead_letter.dlq_offset >= ? AND dead_letter.dlq_offset < ?
         ORDER BY dead_letter.dlq_offset LIMIT ?`,
        [...condition.values, partition, String(from), high, lettersPerPage],
      );
      const letters = rows.map(toLetter);
      const last = letters.at(-1);
      if (last === undefined) break;
      yield letters;
      if (letters.length < lettersPerPage) break;
      from = BigInt(last.dlqOffset) + 1n;
    }
  }
}
