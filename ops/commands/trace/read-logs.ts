import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { Fact, Step } from './event-facts.ts';

/** Which files are read, for which aggregate. */
export interface LogOptions {
  /** Paths, or `-` for standard input. */
  readonly files: readonly string[];
  readonly aggregateId: string;
  readonly printProgress?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The lines of the services' logs that name an aggregate. */
export interface Logs {
  readonly files: number;
  /**
   * Read once for all callers, because standard input can be read once. A file that was last
   * written before `sinceMs` of the first call is left out.
   */
  readonly lines: (sinceMs: number) => Promise<readonly string[]>;
}

const progressEveryLines = 100_000;

/** Opens nothing yet: `lines` throws when a file cannot be read. */
export function openLogs(options: LogOptions): Logs {
  let lines: Promise<readonly string[]> | undefined;
  return {
    files: options.files.length,
    lines: (sinceMs) => (lines ??= readLines(options, sinceMs)),
  };
}

async function readLines(
  { files, aggregateId, printProgress = () => undefined, signal }: LogOptions,
  sinceMs: number,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of files) {
    if (file !== '-' && (await stat(file)).mtimeMs < sinceMs) continue;
    const input = file === '-' ? process.stdin : createReadStream(file);
    let lines = 0;
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      lines += 1;
      if (lines % progressEveryLines === 0) {
        printProgress(`${lines} lines of ${file} read`);
        signal?.throwIfAborted();
      }
      // Most lines are about other aggregates; a text search is cheaper than parsing.
      if (line.includes(aggregateId)) found.push(line);
    }
  }
  return found;
}

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
  /** The former name, in lines of the event `board.committed`. */
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

/** The aggregate and the consumer group that a trace is about. */
export interface LogSubject {
  readonly aggregateId: string;
  readonly group: string;
}

/**
 * The facts in a line of a service's log; none when it is about another aggregate or group, or not
 * in our format.
 */
export function parseLogLine(line: string, { aggregateId, group }: LogSubject): Fact[] {
  // Container tools put a prefix before a line.
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

/** None or one: a line in another format comes from another program. */
function parse<Schema extends z.ZodType>(schema: Schema, line: unknown): z.output<Schema>[] {
  const result = schema.safeParse(line);
  return result.success ? [result.data] : [];
}
