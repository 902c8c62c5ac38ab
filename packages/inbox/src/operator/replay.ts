// Flow 9/9: dead letter is replayed
import { setTimeout as wait } from 'node:timers/promises';
import { type Publisher, connectPublisher } from '../fail/publisher.ts';
import { toReplay } from '../fail/record-formats.ts';
import type { SourceRecord } from '../record.ts';
import type { DeadLetterEntry, DeadLetterFilter } from './dead-letter-index.ts';
import { pagesByPosition } from './list-dead-letters.ts';
import type { Operator } from './operator.ts';
import { type DeadLetterReader, openDeadLetterReader, readOrigin } from './read-dead-letters.ts';

export interface ReplayOptions {
  /** Dead letters a second; as fast as it goes without. */
  readonly rate?: number;
  /** Decides and reads as a replay does, sends nothing. */
  readonly dryRun?: boolean;
  /** Also sends what was sent before and has not failed since, and what was dismissed. */
  readonly again?: boolean;
  /** Stops after the dead letters in hand; what was sent is recorded. */
  readonly signal?: AbortSignal;
}

export interface Replay {
  readonly deadLetter: DeadLetterEntry;
  readonly outcome:
    | 'replayed'
    | 'would-replay'
    /**
     * The DLQ no longer holds its record; where it stood there may be another one, of a DLQ that
     * was made again.
     */
    | 'missing'
    /**
     * It is bare, and the record it stands for is gone from the source topic or is too large for
     * the retry topic.
     */
    | 'incomplete'
    | Exclude<ReplayVerdict, 'replay'>;
}

const deadLettersPerPage = 100;

/**
 * Sends dead letters back to their group's first retry topic, page by page, and yields the outcome
 * of each. The order does not matter and a copy is harmless, because the mark decides. Called
 * again, it goes on with what was not sent.
 */
export async function* replayDeadLetters(
  operator: Operator,
  filter: DeadLetterFilter,
  options: ReplayOptions = {},
): AsyncGenerator<Replay> {
  const { rate = Infinity, dryRun = false, again = false, signal } = options;
  const perPage = Math.max(1, Math.min(deadLettersPerPage, Math.ceil(rate / 4)));
  const reader = await openDeadLetterReader(operator);
  const publisher = await connectPublisher(operator.kafka);
  const startedAtMs = performance.now();
  let sent = 0;
  try {
    for await (const deadLetters of pagesByPosition(operator, filter, perPage)) {
      if (signal?.aborted) return;
      const replays = await replayPage(
        operator,
        reader,
        dryRun ? undefined : publisher,
        deadLetters,
        again,
      );
      yield* replays;
      sent += replays.filter(({ outcome }) => outcome === 'replayed').length;
      const aheadMs = startedAtMs + (sent / rate) * 1_000 - performance.now();
      if (aheadMs > 0)
        await wait(aheadMs, undefined, signal ? { signal } : {}).catch(() => undefined);
    }
  } finally {
    await publisher.close();
    await reader.close();
  }
}

interface Held {
  readonly deadLetter: DeadLetterEntry;
  readonly record: SourceRecord;
  /** Of a bare one: the record that it stands for. */
  readonly source: SourceRecord | undefined;
}

async function replayPage(
  operator: Operator,
  reader: DeadLetterReader,
  publisher: Publisher | undefined,
  deadLetters: readonly DeadLetterEntry[],
  again: boolean,
): Promise<Replay[]> {
  const verdicts = new Map(
    deadLetters.map((deadLetter) => [deadLetter, decideReplay(deadLetter, again)]),
  );
  const wanted = deadLetters.filter((deadLetter) => verdicts.get(deadLetter) === 'replay');
  const records = await reader.read(wanted);
  const held: Held[] = [];
  const incomplete = new Set<DeadLetterEntry>();
  for (const deadLetter of wanted) {
    const record = records.get(deadLetter.id);
    if (record === undefined) continue;
    const source = deadLetter.isBare ? await readOrigin(operator, deadLetter, record) : undefined;
    if (deadLetter.isBare && source === undefined) incomplete.add(deadLetter);
    else held.push({ deadLetter, record, source });
  }
  if (publisher !== undefined && held.length > 0) {
    const nowMs = operator.now();
    const { group } = operator.consumer;
    const published = await publisher.publish(
      held.map(({ record, source }) => toReplay(group, record, nowMs, source)),
    );
    for (const [index, { deadLetter }] of held.entries())
      if (published[index]?.kind === 'refused') incomplete.add(deadLetter);
    // After the acknowledgement: a dead letter that counts as sent but was not would be left out
    // for good.
    const sent = held
      .filter(({ deadLetter }) => !incomplete.has(deadLetter))
      .map(({ deadLetter }) => deadLetter);
    await recordReplays(operator, sent, nowMs);
  }
  return deadLetters.map((deadLetter) => {
    const verdict = verdicts.get(deadLetter) ?? 'closed';
    if (verdict !== 'replay') return { deadLetter, outcome: verdict };
    if (!records.has(deadLetter.id)) return { deadLetter, outcome: 'missing' };
    if (incomplete.has(deadLetter)) return { deadLetter, outcome: 'incomplete' };
    return { deadLetter, outcome: publisher === undefined ? 'would-replay' : 'replayed' };
  });
}

/**
 * Remembers what the retry topic has acknowledged, so that an interrupted replay goes on where it
 * stopped.
 */
async function recordReplays(
  { dataSource, consumer }: Operator,
  sent: readonly DeadLetterEntry[],
  nowMs: number,
): Promise<void> {
  if (sent.length === 0) return;
  await dataSource.query(
    `INSERT INTO letter_replay (consumer, letter, replays, dlq_partition, dlq_offset, replayed_at) VALUES ? AS sent
     ON DUPLICATE KEY UPDATE replays = letter_replay.replays + 1, dlq_partition = sent.dlq_partition,
       dlq_offset = sent.dlq_offset, replayed_at = sent.replayed_at`,
    [sent.map((one) => [consumer.group, one.id, 1, one.dlqPartition, one.dlqOffset, nowMs])],
  );
}

export type ReplayVerdict =
  | 'replay'
  /** The mark has passed it: sending it again would change nothing. */
  | 'superseded'
  /** Sent before, and nothing has failed since. */
  | 'in-flight'
  /** Dismissed. */
  | 'closed'
  | 'no-identity'
  | 'conflict';

type Facts = Pick<
  DeadLetterEntry,
  'reason' | 'version' | 'markVersion' | 'skippedBy' | 'closedAt' | 'isReplayPending'
>;

/**
 * Whether sending a dead letter back can do anything, from the index and the mark alone; `again`
 * overrules what was done before.
 */
export function decideReplay(deadLetter: Facts, again: boolean): ReplayVerdict {
  if (deadLetter.reason === 'conflict') return 'conflict';
  if (deadLetter.reason === 'no-identity' || deadLetter.version === null) return 'no-identity';
  if (deadLetter.markVersion > deadLetter.version) return 'superseded';
  // At the mark itself only what the policy passed over may still be applied; a skip by hand is
  // final.
  if (deadLetter.markVersion === deadLetter.version && deadLetter.skippedBy !== 'policy')
    return 'superseded';
  if (again) return 'replay';
  if (deadLetter.closedAt !== null) return 'closed';
  return deadLetter.isReplayPending ? 'in-flight' : 'replay';
}
