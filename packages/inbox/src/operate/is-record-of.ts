import { headerNames } from '@board/contracts';
import { headerText, type RecordHeaders } from '../record.ts';
import { deadLetterHeaders } from '../route/route-headers.ts';
import type { Letter } from './letter.ts';

/**
 * Whether a DLQ record with these headers is the dead letter's: a DLQ that was deleted and made again gives the same
 * partitions and offsets to other records. An event is told by its id, whichever copy of it this is; a record without identity
 * by where it first stood.
 */
export function isRecordOf({ eventId, origin }: Pick<Letter, 'eventId' | 'origin'>, headers: RecordHeaders): boolean {
  if (eventId !== null) return headerText(headers, headerNames.eventId) === eventId;
  return (
    headerText(headers, deadLetterHeaders.originTopic) === origin.topic &&
    headerText(headers, deadLetterHeaders.originPartition) === String(origin.partition) &&
    headerText(headers, deadLetterHeaders.originOffset) === origin.offset
  );
}
