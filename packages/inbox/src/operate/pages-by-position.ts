import { deadLetterTopicName } from '@board/contracts';
import { withAdmin } from '@board/kafka-kit';
import type { LetterFilter } from './letter-filter.ts';
import { closeSettledOf, readLetterPage, type LetterOrder } from './letter-pages.ts';
import type { Letter } from './letter.ts';
import type { Operator } from './operator.ts';

const byOffset: LetterOrder = {
  by: 'dead_letter.dlq_offset',
  compare: (one, other) => Number(BigInt(one.dlqOffset) - BigInt(other.dlqOffset)),
};

/**
 * Letters that fit, page by page in the order of the DLQ, so that it is read once and forwards. Only letters that were in
 * the DLQ at the start: one that is replayed and fails again gets a later offset, and would come round for ever.
 */
export async function* pagesByPosition(
  operator: Operator,
  filter: LetterFilter,
  lettersPerPage: number,
): AsyncGenerator<readonly Letter[]> {
  const { consumer, kafka } = operator;
  await closeSettledOf(operator, filter);
  const ends = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(deadLetterTopicName(consumer.group)));
  for (const { partition, high } of ends.toSorted((a, b) => a.partition - b.partition)) {
    let next = 0n;
    for (;;) {
      const from = {
        sql: 'dead_letter.dlq_partition = ? AND dead_letter.dlq_offset >= ? AND dead_letter.dlq_offset < ?',
        values: [partition, String(next), high],
      };
      const letters = await readLetterPage(operator, filter, byOffset, from, lettersPerPage);
      const last = letters.at(-1);
      if (last === undefined) break;
      yield letters;
      if (letters.length < lettersPerPage) break;
      next = BigInt(last.dlqOffset) + 1n;
    }
  }
}
