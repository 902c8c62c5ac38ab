import { boardTopic } from '@board/contracts';
import { defaultCommitLimits, payloadLimitBytes } from '@board/outbox';
import { must } from '@board/service-kit';
import { boardLimits } from '../domain/board-limits.ts';
import { bodyLimitBytes } from '../http/body-limit.ts';

/** What the parts of the way of a board take, each written down where it holds. */
export const ownLimits = {
  ...boardLimits,
  bodyBytes: bodyLimitBytes,
  titleColumnCodePoints: 200,
  authorColumnCodePoints: 100,
  contentColumnBytes: 2 ** 24 - 1,
  payloadBytes: payloadLimitBytes,
  messageBytes: must(Number(boardTopic.config['max.message.bytes']), 'max.message.bytes of the topic'),
  batchRows: defaultCommitLimits.batchRows,
  batchBytes: defaultCommitLimits.batchBytes,
};

export type OwnLimits = Readonly<Record<keyof typeof ownLimits, number>>;
