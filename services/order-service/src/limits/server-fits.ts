import type { Fit } from './fit.ts';
import type { OwnLimits } from './own-limits.ts';

/** Settings of the MySQL server, in bytes. */
export interface ServerLimits {
  readonly maxAllowedPacket: number;
  readonly maxBinlogCacheSize: number;
}

/** A control character is `\u0001` in an answer's body and `\\u0001` in the answer that is kept: seven bytes. */
const keptAnswerBytesPerByte = 7;

/** The kept answers are the longest statement of a transaction; a byte of theirs is two hex digits in it. */
const statementBytesPerByte = keptAnswerBytesPerByte * 2;

/** The row of the board before and after the change, the payload and the kept answer. */
const transactionBytesPerByte = 2 + 1 + keptAnswerBytesPerByte;

/** Author, ids, times, headers. */
const rowFrameBytes = 4_096;

/** A shared transaction that is as full as it can be has room in the server: else it fails, and its members run one by one. */
export function serverFits(
  { batchRows, batchBytes }: OwnLimits,
  { maxAllowedPacket, maxBinlogCacheSize }: ServerLimits,
): readonly Fit[] {
  const frames = batchRows * rowFrameBytes;
  return [
    {
      what: 'a statement of the fullest shared transaction',
      takes: batchBytes * statementBytesPerByte + frames,
      into: 'max_allowed_packet of MySQL',
      room: maxAllowedPacket,
    },
    {
      what: 'the fullest shared transaction',
      takes: batchBytes * transactionBytesPerByte + frames,
      into: 'max_binlog_cache_size of MySQL',
      room: maxBinlogCacheSize,
    },
  ];
}
