import { z } from 'zod';
import type { Fact, Step } from './fact.ts';

const time = z.iso.datetime({ offset: true }).transform(Date.parse);

const head = z.looseObject({
  event: z.string(),
  name: z.string().default('?'),
  group: z.string().optional(),
  time,
});

const event = {
  version: z.int().positive(),
  eventId: z.string().optional(),
  traceparent: z.string().optional(),
};

const committed = z.object({
  ...event,
  aggregateId: z.string().optional(),
  /** As versions before comments wrote it, in a line of the event `board.committed`. */
  boardId: z.string().optional(),
  eventType: z.string().optional(),
  requestId: z.string().optional(),
  receivedAt: time.optional(),
  committedAt: time.optional(),
});

const delivery = z.object({ ...event, aggregateId: z.string(), attempt: z.int().default(1) });
const deliveries = z.object({ events: z.array(delivery) });
const failed = delivery.extend({ tier: z.int().optional(), error: z.string().default('') });
const deadLetter = delivery.extend({
  reason: z.string(),
  attempts: z.int(),
  error: z.string(),
  dlqOffset: z.string().default('?'),
});

/** What is asked of a line: an aggregate, as the consumer of a group has it. */
export interface Asked {
  readonly aggregateId: string;
  readonly group: string;
}

/**
 * What a line of a service's log says; nothing when it is about something else, of another consumer
 * or no line of ours.
 */
export function parseLogLine(line: string, { aggregateId, group }: Asked): Fact[] {
  // Container tools put their own words in front of a line.
  const start = line.indexOf('{');
  if (start < 0) return [];
  let json: unknown;
  try {
    json = JSON.parse(line.slice(start));
  } catch {
    return [];
  }
  const parsed = head.safeParse(json);
  if (!parsed.success || (parsed.data.group ?? group) !== group) return [];
  return readFacts(parsed.data, aggregateId);
}

type Head = z.output<typeof head>;

function readFacts(line: Head, id: string): Fact[] {
  const by = line.name;
  switch (line.event) {
    case 'board.committed':
    case 'event.committed':
      return parse(committed, line).flatMap((one) =>
        (one.aggregateId ?? one.boardId) === id ? committedFacts(one, line) : [],
      );
    case 'inbox.applied':
    case 'inbox.parked':
      return parse(deliveries, line)
        .flatMap(({ events }) => events)
        .filter(({ aggregateId }) => aggregateId === id)
        .map((one) =>
          fact(
            one,
            line.time,
            line.event === 'inbox.parked' ? { kind: 'parked', by } : applied(by, one.attempt),
          ),
        );
    case 'inbox.retry':
    case 'inbox.postponed':
      return parse(failed, line)
        .filter(({ aggregateId }) => aggregateId === id)
        .map((one) => {
          const { attempt, error, tier = attempt } = one;
          return fact(
            one,
            line.time,
            line.event === 'inbox.retry'
              ? { kind: 'failed', by, attempt, tier, error }
              : { kind: 'postponed', by, attempt, error },
          );
        });
    case 'inbox.dead-letter':
      return parse(deadLetter, line)
        .filter(({ aggregateId }) => aggregateId === id)
        .map((one) => {
          const { reason, attempts, error, dlqOffset } = one;
          return fact(one, line.time, {
            kind: 'dead letter',
            by,
            reason,
            attempts,
            error,
            dlqOffset,
          });
        });
    default:
      return [];
  }
}

function committedFacts(one: z.output<typeof committed>, line: Head): Fact[] {
  const { receivedAt, committedAt, requestId } = one;
  const facts = [fact(one, committedAt ?? line.time, { kind: 'committed', by: line.name })];
  if (receivedAt !== undefined)
    facts.unshift(
      fact(one, receivedAt, { kind: 'received', by: line.name, ...(requestId && { requestId }) }),
    );
  return facts;
}

function fact(
  { version, eventId, traceparent, eventType }: Omit<Fact, 'atMs' | 'step'>,
  atMs: number,
  step: Step,
): Fact {
  return { version, eventId, traceparent, eventType, atMs, step };
}

const applied = (by: string, attempt: number): Step => ({ kind: 'applied', by, attempt });

/** None or one: a line of another shape comes from another program. */
function parse<Schema extends z.ZodType>(schema: Schema, line: unknown): z.output<Schema>[] {
  const result = schema.safeParse(line);
  return result.success ? [result.data] : [];
}
