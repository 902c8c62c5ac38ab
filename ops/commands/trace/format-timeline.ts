import { consumerFlag } from '@board/contracts';
import { printable } from '@board/service';
import type { Outcome } from './event-facts.ts';
import type { TimedStep, Timeline, TracedEvent } from './to-timeline.ts';

/** What was read, for the sentences on what was not found. */
export interface SearchScope {
  readonly logFiles: number;
  readonly topic: string;
  readonly fromMs: number;
}

const outcomes: Readonly<Record<Outcome, string>> = {
  applied: 'applied',
  skipped: 'skipped: its effect will never happen',
  'dead letter': 'DEAD LETTER: "npm run dlq -- show <event>" says why',
  dismissed: 'dismissed',
  superseded: 'not applied: another event of this version was',
  disputed: 'several events claim this version, and nothing here says which of them was applied',
  parked: 'parked: an earlier version comes first',
  'in retry': 'waits for its next attempt',
  'in topic': 'in the topic, not applied yet',
  'not in topic': 'not in the topic: "npm run connector -- status"',
};

/** The timeline as text for a terminal. */
export function formatTimeline(timeline: Timeline, searched: SearchScope): string {
  const { aggregateType, aggregateId, consumer, version, deletedAt, mark, events } = timeline;
  const source =
    version === undefined ? `its own service has no such ${aggregateType}` : `version ${version}`;
  const name = `${aggregateType.charAt(0).toUpperCase()}${aggregateType.slice(1)}`;
  const head =
    `${name} ${aggregateId}: ` +
    `${source}${deletedAt === undefined ? '' : `, deleted ${deletedAt}`}; consumer ${consumer} ` +
    `has come to version ${mark}.`;
  return [head, ...events.map((event) => formatEvent(event, timeline, searched))].join('\n\n');
}

function formatEvent(
  event: TracedEvent,
  { isTopicReadToEnd, consumer }: Timeline,
  searched: SearchScope,
): string {
  const { version, eventType, eventId, traceparent, steps, totalMs } = event;
  const lines = steps.map((step, index) => {
    const after = index === 0 ? '' : `+${step.afterMs} ms`;
    return `  ${step.at}  ${after.padStart(11)}  ${oneLine(describeStep(step))}`;
  });
  return [
    `version ${version}  ${eventType ?? '(type not known)'}: ` +
      outcomes[event.outcome].replace('<event>', `<event>${consumerFlag(consumer)}`),
    `  event ${eventId ?? 'not known'}, trace ${traceparent ?? 'none'}`,
    ...lines,
    ...(steps.length > 1 ? [`  ${''.padStart(24)}  ${`${totalMs} ms`.padStart(11)}  in all`] : []),
    ...describeMissing(event, isTopicReadToEnd, searched),
  ].join('\n');
}

function describeStep(step: TimedStep): string {
  switch (step.kind) {
    case 'received':
      return (
        `request received by ${step.by}` +
        (step.requestId === undefined ? '' : `, request id ${step.requestId}`)
      );
    case 'changed':
      return 'changed, by the time that the event carries';
    case 'committed':
      return `committed by ${step.by}`;
    case 'in topic':
      return `in topic ${step.topic}, partition ${step.partition}, offset ${step.offset}`;
    case 'failed':
      return (
        `attempt ${step.attempt} failed at ${step.by}, to retry tier ${step.tier}: ` + step.error
      );
    case 'postponed':
      return (
        `attempt ${step.attempt} failed at ${step.by} while the circuit breaker was open, ` +
        `not counted: ${step.error}`
      );
    case 'parked':
      return `parked behind an earlier version${step.by === undefined ? '' : ` by ${step.by}`}`;
    case 'dead letter':
      return (
        `dead letter${step.by === undefined ? '' : ` by ${step.by}`}, ${step.reason} after ` +
        `attempt ${step.attempts}, DLQ offset ${step.dlqOffset}: ${step.error}`
      );
    case 'replayed':
      return 'replayed by an operator';
    case 'closed':
      return `dead letter closed: ${step.how}`;
    case 'skipped':
      return `skipped by ${step.decidedBy}: ${step.reason}`;
    case 'applied':
      return `applied by ${step.by}, attempt ${step.attempt}`;
  }
}

function describeMissing(
  { notFound }: TracedEvent,
  isTopicReadToEnd: boolean,
  { logFiles, topic, fromMs }: SearchScope,
): string[] {
  const fromLogs = notFound.filter((what) => what !== 'record');
  const why = logFiles === 0 ? 'no logs were given' : 'not in the logs given';
  const where = isTopicReadToEnd
    ? `not in topic ${topic} since ${new Date(fromMs).toISOString()}`
    : `topic ${topic} was not read to its end: ask again, or use --to-end`;
  return [
    ...(fromLogs.length > 0 ? [`  not found: ${fromLogs.join(', ')} (${why})`] : []),
    ...(notFound.includes('record') ? [`  not found: record (${where})`] : []),
  ];
}

/** One line without control characters: errors carry text from elsewhere. */
function oneLine(text: string): string {
  const line = printable(text.replaceAll(/\s+/g, ' '));
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
