import type { TopicGap } from '@board/inbox';
import { counted } from '../../cli/print.ts';

/** What cannot come back out of a topic with these gaps, as an operator reads it. */
export function gapText(gaps: readonly TopicGap[]): string {
  return gaps.map((gap) => `  ${sentence(gap)}`).join('\n');
}

function sentence(gap: TopicGap): string {
  switch (gap.kind) {
    case 'begins-late':
      return `${gap.topic}/${gap.partition} begins at offset ${gap.low}: boards whose events were before it cannot come back.`;
    case 'missing':
      return `${gap.reason}: boards whose events were among them cannot come back.`;
    case 'too-few':
      return (
        `${gap.topic} holds ${counted(gap.records, 'record')}, and ${counted(gap.applied, 'event')} ` +
        'were applied: what is not there cannot come back.'
      );
  }
}
